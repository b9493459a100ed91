import { check, until } from '../run.mjs';

/** The list of users, bulk actions, the palette and the audit log. */
export async function lists(s) {
  await s.journey('search and filter are kept over a reload', async () => {
    for (let n = 0; n < 30; n++) await s.api('POST', '/users', { username: `client${n}`, ...(n % 2 ? { expire_at: '2020-01-01T00:00:00Z' } : {}) });
    await s.open('/users');
    await s.row('client29').waitFor();
    await s.page.keyboard.press('/');
    await s.page.keyboard.type('client1');
    await s.page.getByRole('button', { name: /^Expired/ }).click();
    await s.row('client11').waitFor();
    await until('only the matching rows', async () => (await s.page.getByRole('row').count()) === 7);
    check(s.page.url().includes('search=client1') && s.page.url().includes('status=expired'), s.page.url());
    await s.page.reload();
    await s.row('client11').waitFor();
    check((await s.page.getByRole('row').count()) === 7, 'the filter is gone');
    check((await s.page.getByRole('searchbox').inputValue()) === 'client1', 'the search is gone');
    await s.page.getByRole('searchbox').fill('nobody at all');
    await s.button('Clear search and filter').click();
    await s.row('alice').waitFor();
    await s.page.getByLabel('Rows per page').selectOption('20');
    await s.button('Next page').click();
    await until('page 2', async () => /page=2/.test(s.page.url()));
    await s.page.reload();
    await s.page.getByText('21–31 of 31').waitFor();
  });

  await s.journey('bulk disable and enable', async () => {
    await s.open('/users?sort=username&search=client2');
    await s.row('client20').waitFor();
    await s.field('Select client20').check();
    await s.field('Select client22').check();
    await s.page.getByText('2 selected').waitFor();
    await s.button('Disable').click();
    await s.dialog().getByText('2 of 2 will change.').waitFor();
    await s.dialog().getByRole('button', { name: 'Disable' }).click();
    await s.page.getByText('2 users changed.').waitFor();
    await s.row('client20').getByText('Disabled', { exact: true }).waitFor();
    await s.field('Select client20').check();
    await s.page.getByRole('button', { name: /^Select all 11 that match/ }).click();
    await s.button('Enable').click();
    await s.dialog().getByText('2 of 11 will change.').waitFor();
    await s.dialog().getByRole('button', { name: 'Enable' }).click();
    await s.row('client22').getByText('Active').waitFor();
  });

  await s.journey('selecting all who match ends when one is unselected, and with another search', async () => {
    await s.open('/users?sort=username&search=client2');
    await s.row('client20').waitFor();
    const list = await s.page.getByRole('table').boundingBox();
    await s.field('Select client20').check();
    await s.page.getByRole('button', { name: /^Select all 11 that match/ }).click();
    await s.page.getByText('11 selected').waitFor();
    check((await s.page.getByRole('table').boundingBox()).y === list.y, 'the list has moved');
    check(await s.field('Select client29').isChecked(), 'a matching user is not selected');
    await s.shot('all who match');
    await s.field('Select client2').uncheck();
    await s.page.getByText('10 selected').waitFor();
    await s.button('Disable').click();
    await s.dialog().getByText('10 of 10 will change.').waitFor();
    await s.dialog().getByRole('button', { name: 'Disable' }).click();
    await s.page.getByText('10 users changed.').waitFor();
    check((await s.api('GET', '/users/client2')).status === 'active', 'the unselected user is disabled');
    await s.field('Select all on this page').check();
    await s.page.getByText('11 selected').waitFor();
    await s.button('Clear selection').click();
    await s.open('/users?sort=username&search=client&size=20');
    await s.field('Select client0').check();
    await s.page.getByRole('button', { name: /^Select all 30 that match/ }).click();
    await s.page.getByText('30 selected').waitFor();
    await s.page.getByRole('searchbox').fill('client29');
    // The shown users, but not those on other pages.
    await s.page.getByText('20 selected').waitFor();
  });

  await s.journey('palette', async () => {
    await s.open('/');
    await s.page.locator('main#content h1').waitFor();
    await s.page.keyboard.press('Control+k');
    await s.page.getByPlaceholder('User or command…').fill('alic');
    await s.dialog().getByText('alice').waitFor();
    await s.page.keyboard.press('Enter');
    await s.heading('alice').waitFor();
    await s.dialog().waitFor({ state: 'hidden' });
    await s.page.route('**/api/users?*', (route) => route.abort());
    await s.page.keyboard.press('Control+k');
    await s.page.getByPlaceholder('User or command…').fill('client');
    await s.dialog().getByText('The panel does not answer.').waitFor();
    check((await s.dialog().getByText('Nothing found').count()) === 0, 'it says that nothing was found');
    await s.page.unroute('**/api/users?*');
    await s.page.keyboard.press('Escape');
  });

  await s.journey('delete names the user and asks', async () => {
    await s.open('/users/client0');
    await s.button('Actions for client0').click();
    await s.page.getByRole('menuitem', { name: 'Delete' }).click();
    await s.dialog().getByText('Delete client0?').waitFor();
    await s.page.keyboard.press('Escape');
    await s.dialog().waitFor({ state: 'hidden' });
    check((await s.api('GET', '/users/client0')).username === 'client0', 'Escape deleted the user');
    await s.button('Actions for client0').click();
    await s.page.getByRole('menuitem', { name: 'Delete' }).click();
    await s.dialog().getByRole('button', { name: 'Delete' }).click();
    await s.page.getByText('client0 is deleted.').waitFor();
    await s.heading('Users').waitFor();
    check((await s.api('GET', '/users?search=client0')).total === 0, 'the user still exists');
  });

  await s.journey('the audit log filtered by two names, and a user with the name of an administrator', async () => {
    await s.api('POST', '/users', { username: 'admin' });
    await s.open('/audit');
    const entry = s.page.getByRole('listitem').filter({ hasText: 'User created' }).first();
    await entry.waitFor();
    await s.field('Actor').pressSequentially('admin');
    await s.field('Target').pressSequentially('admin');
    await until('both names in the URL', async () => /actor=admin/.test(s.page.url()) && /target=admin/.test(s.page.url()));
    await entry.getByText('Show changes').click();
    await s.api('PUT', '/users/admin', { note: 'a new entry' });
    await s.button('Refresh').click();
    await s.page.getByRole('listitem').filter({ hasText: 'User changed' }).waitFor();
    check(await entry.getByRole('table').isVisible(), 'the changes have closed');
    await s.page.getByRole('listitem').filter({ hasText: 'Login' }).first().waitFor();
    await s.open('/users/admin');
    await s.page.getByText('User changed').waitFor();
    check((await s.page.getByText('Login', { exact: true }).count()) === 0, "it shows an administrator's actions");
    await s.api('DELETE', '/users/admin');
  });
}
