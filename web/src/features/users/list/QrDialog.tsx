import { Modal } from '@mantine/core';
import { $api } from '~/api/client';
import { LinkPanel } from '~/features/users/shared/LinkPanel';
import { useI18n } from '~/i18n';
import { LoadError, LoadingLines } from '~/ui/states';

/** The link and the QR code of a user, over the list. */
export function QrDialog({ username, onClose }: { username: string; onClose: () => void }) {
  const { t } = useI18n();
  const links = $api.useQuery(
    'get',
    '/api/users/{username}/links',
    { params: { path: { username } } },
    // Not cached: after a new secret the old link must not be shown.
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
      {links.isPending && <LoadingLines count={1} height={224} />}
      {links.isError && <LoadError error={links.error} onRetry={() => void links.refetch()} />}
      {links.data && <LinkPanel username={username} links={links.data} />}
    </Modal>
  );
}
