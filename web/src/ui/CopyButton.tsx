import { Button } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import { useI18n } from '~/i18n';
import { copy } from '~/lib/clipboard';
import { useNotify } from './notify';

/** A button that copies a text and says that it has. */
export function CopyButton({
  text,
  label,
  primary = false,
}: {
  text: string;
  label?: string;
  primary?: boolean;
}) {
  const { t } = useI18n();
  const { failed } = useNotify();
  const [copied, setCopied] = useState(false);

  async function press() {
    if (!(await copy(text))) return failed(t('common.copyFailed'));
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  }

  return (
    <Button
      variant={primary ? 'filled' : 'default'}
      leftSection={copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
      onClick={() => void press()}
    >
      <span aria-live="polite">{copied ? t('common.copied') : (label ?? t('common.copy'))}</span>
    </Button>
  );
}
