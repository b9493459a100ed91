import { Button, Group, Modal, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, type BulkAction } from '~/api/client';
import { keys } from '~/api/keys';
import type { components } from '~/api/schema';
import { refreshUsers } from '~/features/users/shared/refresh';
import { useI18n } from '~/i18n';
import { formatNumber, joinBytes, type Unit } from '~/lib/bytes';
import { NumberField } from '~/ui/NumberField';
import { useNotify } from '~/ui/notify';
import { SizeInput } from '~/ui/SizeInput';
import { ErrorText } from '~/ui/states';

export type BulkTarget = Pick<components['schemas']['BulkBody'], 'usernames' | 'filter'>;

/** The most days that the API adds at once. */
const MAX_DAYS = 3650;

interface Props {
  action: BulkAction;
  count: number;
  target: BulkTarget;
  onClose: () => void;
  onDone: () => void;
}

/** Confirms a bulk action, and says before how many users it will change. */
export function BulkDialog({ action, count, target, onClose, onDone }: Props) {
  const { t, locale } = useI18n();
  const { done } = useNotify();
  const [days, setDays] = useState('30');
  const [size, setSize] = useState<{ value: string; unit: Unit }>({ value: '10', unit: 'GiB' });
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);

  const value =
    action === 'add_days'
      ? Number(days) >= 1 && Number(days) <= MAX_DAYS
        ? Number(days)
        : null
      : action === 'add_bytes'
        ? joinBytes(Number(size.value), size.unit)
        : undefined;
  const body = { ...target, action, ...(value === undefined ? {} : { value }) };

  const preview = useQuery({
    queryKey: keys.bulkPreview(body),
    queryFn: async () => (await api.POST('/api/users/bulk', { body: { ...body, dry_run: true } })).data,
    enabled: value !== null,
    gcTime: 0,
  });

  async function run() {
    setBusy(true);
    setFailure(null);
    try {
      const { data } = await api.POST('/api/users/bulk', { body });
      const changed = data?.changed ?? 0;
      done(t('bulk.done', { count: changed, formatted: formatNumber(changed, locale) }), data?.config_sync);
      onDone();
      await refreshUsers();
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  }

  const number = (figure: number) => formatNumber(figure, locale);
  const missing = preview.data?.missing ?? [];
  const danger = action === 'delete';
  return (
    <Modal
      opened
      onClose={() => !busy && onClose()}
      closeButtonProps={{ 'aria-label': t('common.close') }}
      title={
        <strong>{t('bulk.title', { action: t(`bulk.${action}`), count, formatted: number(count) })}</strong>
      }
    >
      <Stack gap="md">
        {action === 'add_days' && (
          <NumberField
            label={t('bulk.days')}
            description={t('bulk.daysHint')}
            value={days}
            onChange={setDays}
            error={value === null ? t('fault.range', { min: number(1), max: number(MAX_DAYS) }) : null}
          />
        )}
        {action === 'add_bytes' && (
          <SizeInput
            label={t('bulk.bytes')}
            description={t('bulk.bytesHint')}
            value={size.value}
            unit={size.unit}
            onChange={(next, unit) => setSize({ value: next, unit })}
            error={value === null ? t('fault.size') : null}
          />
        )}
        {action === 'delete' && <div>{t('bulk.deleteBody')}</div>}
        {action === 'disable' && <div>{t('bulk.disableBody')}</div>}
        <div aria-live="polite" style={{ minHeight: '1.5em' }}>
          {preview.data &&
            (preview.data.changed === 0
              ? t('bulk.wouldNot')
              : t('bulk.would', {
                  changed: number(preview.data.changed),
                  matched: number(preview.data.matched),
                }))}
          {missing.length > 0 && (
            <div>
              {t('bulk.missing', {
                names: new Intl.ListFormat(locale, { type: 'unit' }).format(missing.slice(0, 10)),
              })}
            </div>
          )}
        </div>
        <ErrorText error={failure ?? preview.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} disabled={busy} data-autofocus>
            {t('common.cancel')}
          </Button>
          <Button
            {...(danger ? { color: 'red' } : {})}
            onClick={() => void run()}
            loading={busy}
            disabled={!preview.data || preview.data.changed === 0}
          >
            {t(`bulk.${action}`)}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
