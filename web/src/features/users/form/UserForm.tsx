import { Button, Group, NativeSelect, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconDice5 } from '@tabler/icons-react';
import { useBlocker, useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { ApiError, fieldErrors } from '~/api/problem';
import { useI18n } from '~/i18n';
import { generateName } from '~/lib/names';
import { lazyComponent } from '~/ui/lazy';
import { NumberField } from '~/ui/NumberField';
import { Card } from '~/ui/Page';
import { SizeInput } from '~/ui/SizeInput';
import { LoadError } from '~/ui/states';
import { ExpiryInput } from './ExpiryInput';
import css from './UserForm.module.css';
import { COUNT_FIELDS, FIELD_OF, type FormValues, faultsOf, type Reset } from './values';

const LeaveDialog = lazyComponent(() => import('./LeaveDialog').then((module) => module.LeaveDialog));

const RESETS: Reset[] = ['none', 'daily', 'weekly', 'monthly'];

interface Props {
  initial: FormValues;
  isNew: boolean;
  submitLabel: string;
  /** Saves the user and returns their name. */
  onSave: (values: FormValues) => Promise<string>;
  onCancel: () => void;
}

/** The form of a user, new or existing. */
export function UserForm({ initial, isNew, submitLabel, onSave, onCancel }: Props) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  /** Whether the form was saved, so that leaving it does not ask. */
  const saved = useRef(false);
  const element = useRef<HTMLFormElement>(null);
  const form = useForm<FormValues>({
    initialValues: initial,
    // Loaded in advance, because the panel may be unreachable when the form is left.
    onValuesChange: () => void LeaveDialog.preload(),
    validate: (values) =>
      Object.fromEntries(
        Object.entries(faultsOf(values))
          .filter(([field]) => isNew || field !== 'username')
          .map(([field, fault]) => [field, t(`fault.${fault}`)]),
      ),
  });
  const blocker = useBlocker({
    shouldBlockFn: () => form.isDirty() && !saved.current,
    enableBeforeUnload: () => form.isDirty() && !saved.current,
    withResolver: true,
  });

  async function submit(values: FormValues) {
    setBusy(true);
    setFailure(null);
    try {
      const username = await onSave(values);
      saved.current = true;
      // The user's page shows the link, which is sent to the user next.
      await navigate({ to: '/users/$username', params: { username }, replace: true });
    } catch (error) {
      showErrors(error);
      focusFirstError();
    } finally {
      setBusy(false);
    }
  }

  /** Shows each error at its field, and what has no field at the top of the form. */
  function showErrors(error: unknown) {
    if (error instanceof ApiError && error.status === 409) {
      form.setFieldError('username', t('fault.taken'));
      return;
    }
    const { fields, rest } = fieldErrors(error, Object.keys(FIELD_OF));
    for (const [field, message] of Object.entries(fields)) {
      const name = FIELD_OF[field];
      if (name) form.setFieldError(name, message);
    }
    if (rest) setFailure(error);
  }

  /** Scrolls to the first error, which may be out of sight. */
  function focusFirstError() {
    requestAnimationFrame(() => {
      element.current?.querySelector('[role=alert]')?.scrollIntoView({ block: 'center' });
      element.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
    });
  }

  return (
    <form ref={element} onSubmit={form.onSubmit((values) => void submit(values), focusFirstError)} noValidate>
      <Card>
        <Stack gap="lg">
          {failure !== null && <LoadError error={failure} />}
          {isNew && (
            <TextInput
              label={t('form.username')}
              description={t('form.usernameHint')}
              dir="ltr"
              autoFocus
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              maxLength={32}
              required
              withAsterisk={false}
              {...form.getInputProps('username')}
              rightSectionWidth={130}
              rightSection={
                <Button
                  size="compact-sm"
                  variant="subtle"
                  leftSection={<IconDice5 size={16} aria-hidden />}
                  onClick={() => form.setFieldValue('username', generateName())}
                >
                  {t('common.generate')}
                </Button>
              }
            />
          )}
          <SizeInput
            label={t('form.dataLimit')}
            description={t('form.dataLimitHint')}
            placeholder={t('common.unlimited')}
            value={form.values.limit}
            unit={form.values.unit}
            error={form.errors.limit}
            onChange={(limit, unit) => form.setValues({ limit, unit })}
          />
          <ExpiryInput
            value={form.values.expire}
            onChange={(expire) => form.setFieldValue('expire', expire)}
            error={form.errors.expire}
          />
          <div className={css.pair}>
            {COUNT_FIELDS.map((field) => (
              <NumberField
                key={field}
                label={t(`form.${field}`)}
                description={t('form.maxHint')}
                placeholder={t('common.unlimited')}
                value={form.values[field]}
                onChange={(value) => form.setFieldValue(field, value)}
                error={form.errors[field]}
              />
            ))}
          </div>
          <NativeSelect
            label={t('form.reset')}
            description={t('form.resetHint')}
            data={RESETS.map((value) => ({ value, label: t(`reset.${value}`) }))}
            {...form.getInputProps('reset')}
          />
          <Textarea
            label={t('form.note')}
            description={t('form.noteHint')}
            dir="auto"
            minRows={2}
            rows={3}
            {...form.getInputProps('note')}
          />
        </Stack>
      </Card>
      <Group justify="flex-end" className={css.buttons}>
        <Button variant="default" size="md" onClick={onCancel}>
          {t('common.cancel')}
        </Button>
        <Button type="submit" size="md" loading={busy}>
          {submitLabel}
        </Button>
      </Group>
      {blocker.status === 'blocked' && <LeaveDialog onLeave={blocker.proceed} onStay={blocker.reset} />}
    </form>
  );
}
