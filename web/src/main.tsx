import './styles';
import { createRoot } from 'react-dom/client';
import { startSession } from '~/api/session';
import { App } from '~/app/App';
import { startTheme } from '~/app/theme';
import { startI18n } from '~/i18n';

startTheme();
const root = document.getElementById('root');
if (root) {
  // The session is asked for while the language loads.
  void startSession();
  void startI18n().then(() => createRoot(root).render(<App />));
}
