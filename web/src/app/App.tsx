import { DirectionProvider, MantineProvider, useDirection } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect } from 'react';
import { queryClient } from '~/api/client';
import { I18nProvider, useI18n } from '~/i18n';
import { ConfirmProvider } from '~/ui/Confirm';
import { Messages } from '~/ui/Messages';
import { Boundary } from './Boundary';
import { router } from './router';
import { schemeManager, theme } from './theme';

/** Tells Mantine the direction of the language, which it keeps by itself for menus and arrow keys. */
function FollowDirection() {
  const { direction } = useI18n();
  const { setDirection } = useDirection();
  useEffect(() => setDirection(direction), [direction, setDirection]);
  return null;
}

export function App() {
  return (
    <I18nProvider>
      <DirectionProvider initialDirection="ltr" detectDirection>
        <MantineProvider
          theme={theme}
          defaultColorScheme="auto"
          colorSchemeManager={schemeManager}
          withCssVariables={false}
          withGlobalClasses={false}
        >
          <FollowDirection />
          <Boundary>
            <Messages />
            <QueryClientProvider client={queryClient}>
              <ConfirmProvider>
                <RouterProvider router={router} />
              </ConfirmProvider>
            </QueryClientProvider>
          </Boundary>
        </MantineProvider>
      </DirectionProvider>
    </I18nProvider>
  );
}
