import '~/app/styles';
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
  startI18n().then(
    () => createRoot(root).render(<App />),
    // Not one text has come, so the page itself brings this one.
    () => {
      const text = document.querySelector<HTMLTemplateElement>('#unreachable');
      if (text) root.append(text.content);
    },
  );
}
