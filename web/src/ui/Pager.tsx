import { ActionIcon, NativeSelect } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useI18n } from '~/i18n';
import { formatNumber } from '~/lib/bytes';
import { PAGE_SIZES } from '~/lib/paging';
import css from './Pager.module.css';

interface Props {
  page: number;
  size: number;
  total: number;
  onPage: (page: number) => void;
  onSize?: (size: number) => void;
}

/** Leads from page to page of a list, and chooses how many rows a page has. */
export function Pager({ page, size, total, onPage, onSize }: Props) {
  const { t, locale, direction } = useI18n();
  const last = Math.max(1, Math.ceil(total / size));
  const number = (value: number) => formatNumber(value, locale);
  const from = total === 0 ? 0 : Math.min((page - 1) * size + 1, total);
  const [Previous, Next] =
    direction === 'rtl' ? [IconChevronRight, IconChevronLeft] : [IconChevronLeft, IconChevronRight];
  return (
    <nav className={css.pager} aria-label={t('common.page', { number: number(page) })}>
      <span className="dim small">
        {t('common.rows', {
          from: number(from),
          to: number(Math.min(page * size, total)),
          total: number(total),
        })}
      </span>
      {onSize && (
        <NativeSelect
          size="xs"
          aria-label={t('common.pageSize')}
          value={String(size)}
          data={PAGE_SIZES.map((value) => ({ value: String(value), label: number(value) }))}
          onChange={(event) => onSize(Number(event.currentTarget.value))}
        />
      )}
      <div className={css.buttons}>
        <ActionIcon
          variant="default"
          size="lg"
          aria-label={t('common.previousPage')}
          disabled={page <= 1}
          onClick={() => onPage(page - 1)}
        >
          <Previous size={18} aria-hidden />
        </ActionIcon>
        <span className="small">
          {number(page)} / {number(last)}
        </span>
        <ActionIcon
          variant="default"
          size="lg"
          aria-label={t('common.nextPage')}
          disabled={page >= last}
          onClick={() => onPage(page + 1)}
        >
          <Next size={18} aria-hidden />
        </ActionIcon>
      </div>
    </nav>
  );
}
