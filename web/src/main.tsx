import '~/app/styles';
import { createRoot } from 'react-dom/client';
import { startSession } from '~/api/session';
import { App } from '~/app/App';
import { startTheme } from '~/app/theme';
import { startI18n } from '~/i18n';

startTheme();
const root = document.getElementById('root');
if (root) {
  // The login session is requested while the texts load.
  void startSession();
  startI18n().then(
    () => createRoot(root).render(<App />),
    // Without texts, show the one that is in index.html.
    () => {
      const text = document.querySelector<HTMLTemplateElement>('#unreachable');
      if (text) root.append(text.content);
    },
  );
}
