import { Button } from '@mantine/core';
import { type ComponentType, type ReactNode, useEffect, useState } from 'react';
import { useI18n } from '~/i18n';
import css from './lazy.module.css';
import { Notice } from './states';

interface Options<P> {
  /** Shown until the component is loaded. */
  pending?: (props: P) => ReactNode;
  /** Whether the component is a whole page, so that an error to load it is shown as a page. */
  isPage?: boolean;
}

/**
 * A component that is loaded when it is shown for the first time, or earlier by `preload`. If it cannot be loaded,
 * because the panel is down or was updated, the rest of the page stays, and loading can be tried again.
 */
export function lazyComponent<P extends object>(
  load: () => Promise<ComponentType<P>>,
  { pending, isPage = false }: Options<P> = {},
) {
  let Loaded: ComponentType<P> | undefined;
  let loading: Promise<void> | undefined;

  function fetch(): Promise<void> {
    loading ??= load()
      .then((component) => {
        Loaded = component;
      })
      .finally(() => {
        loading = undefined;
      });
    return loading;
  }

  function LazyComponent(props: P) {
    const [state, setState] = useState<'loading' | 'loaded' | 'failed'>('loading');
    const get = () =>
      void fetch().then(
        () => setState('loaded'),
        () => setState('failed'),
      );
    // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it is first shown
    useEffect(() => {
      if (!Loaded) get();
    }, []);
    if (Loaded) return <Loaded {...props} />;
    const rest = pending?.(props) ?? null;
    if (state !== 'failed') return rest;
    const again = () => {
      setState('loading');
      get();
    };
    if (isPage) return <Failed isPage onRetry={again} />;
    return (
      <>
        {rest}
        <Failed onRetry={again} />
      </>
    );
  }

  /** Loads the component in advance. Never fails: a failure is shown when the component is. */
  LazyComponent.preload = () => (Loaded ? Promise.resolve() : fetch().catch(() => {}));
  return LazyComponent;
}

/** Shown instead of a component that could not be loaded. */
function Failed({ isPage = false, onRetry }: { isPage?: boolean; onRetry: () => void }) {
  const { t } = useI18n();
  const buttons = (
    <div className={css.buttons}>
      <Button size="xs" onClick={onRetry}>
        {t('common.retry')}
      </Button>
      <Button size="xs" variant="default" onClick={() => window.location.reload()}>
        {t('error.reload')}
      </Button>
    </div>
  );
  if (isPage) {
    return (
      <Notice isPage title={t('error.notLoaded')} hint={t('error.notLoadedHint')}>
        {buttons}
      </Notice>
    );
  }
  return (
    <div className={css.failed} role="alert">
      <strong>{t('error.notLoaded')}</strong>
      <div>{t('error.notLoadedHint')}</div>
      {buttons}
    </div>
  );
}
