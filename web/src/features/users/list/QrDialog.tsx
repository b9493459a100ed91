import { Modal } from '@mantine/core';
import { $api } from '~/api/client';
import { LinkPanel } from '~/features/users/shared/LinkPanel';
import { useI18n } from '~/i18n';
import { Lines, LoadError } from '~/ui/states';

export function QrDialog({ username, onClose }: { username: string; onClose: () => void }) {
  const { t } = useI18n();
  const links = $api.useQuery(
    'get',
    '/api/users/{username}/links',
    { params: { path: { username } } },
    // Kept for no later time: whoever has a new secret must not be sent his old link.
    { gcTime: 0 },
  );
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={
        <strong>
          {t('action.qr')}: <bdi>{username}</bdi>
        </strong>
      }
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      {links.isPending && <Lines count={1} height={224} />}
      {links.isError && <LoadError error={links.error} onRetry={() => void links.refetch()} />}
      {links.data && <LinkPanel username={username} links={links.data} />}
    </Modal>
  );
}
