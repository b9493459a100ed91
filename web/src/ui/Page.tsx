import { useDocumentTitle } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { useI18n } from '~/i18n';
import css from './Page.module.css';

interface PageProps {
  title: string;
  /** Shown instead of the title if that is more than text. */
  heading?: ReactNode;
  aside?: ReactNode;
  actions?: ReactNode;
  narrow?: boolean;
  children: ReactNode;
}

/** A page with its title, actions and content. */
export function Page({ title, heading, aside, actions, narrow = false, children }: PageProps) {
  const { t } = useI18n();
  useDocumentTitle(`${title} · ${t('app.name')}`);
  return (
    <div className={css.page} data-narrow={narrow || undefined}>
      <header className={css.header}>
        <h1 className={css.title}>{heading ?? title}</h1>
        <div className={css.aside}>{aside}</div>
        {actions && <div className={css.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface CardProps {
  title?: ReactNode;
  actions?: ReactNode;
  label?: string;
  children: ReactNode;
}

/** A box on a page, with an optional title. */
export function Card({ title, actions, label, children }: CardProps) {
  return (
    <section className={css.card} aria-label={label}>
      {title && (
        <div className={css.cardHeader}>
          <h2 className={css.cardTitle}>{title}</h2>
          {actions}
        </div>
      )}
      {children}
    </section>
  );
}

/** A list of names and values. */
export function Facts({ rows }: { rows: ([string, ReactNode] | null | false)[] }) {
  return (
    <dl className={css.facts}>
      {rows.map(
        (row) =>
          row && (
            <div key={row[0]}>
              <dt>{row[0]}</dt>
              <dd>{row[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
