import { Button } from '@mantine/core';
import { type ComponentType, type ReactNode, useEffect, useState } from 'react';
import { useI18n } from '~/i18n';
import css from './piece.module.css';
import { Notice } from './states';

interface Options<P> {
  /** Shown until it is there. */
  pending?: (props: P) => ReactNode;
  /** Whether it is a page, whose place nothing else takes when it cannot be loaded. */
  isPage?: boolean;
}

/**
 * A component that is loaded when it is shown for the first time, or before by `preload`. One that cannot be loaded,
 * because the panel is down or was updated, leaves everything else on the page as it is, and can be tried again.
 */
export function piece<P extends object>(
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

  function Piece(props: P) {
    const [state, setState] = useState<'loading' | 'there' | 'failed'>('loading');
    const get = () =>
      void fetch().then(
        () => setState('there'),
        () => setState('failed'),
      );
    // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it is shown
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

  /** Never fails: who shows it later is told then. */
  Piece.preload = () => (Loaded ? Promise.resolve() : fetch().catch(() => {}));
  return Piece;
}

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
