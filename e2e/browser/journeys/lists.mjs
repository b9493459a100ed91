import { check, until } from '../stage.mjs';

/** Many users at once. */
export async function lists(s) {
  await s.journey('search and filter kept over reload', async () => {
    for (let n = 0; n < 30; n++) await s.api('POST', '/users', { username: `client${n}`, ...(n % 2 ? { expire_at: '2020-01-01T00:00:00Z' } : {}) });
    await s.open('/users');
    await s.row('client29').waitFor();
    await s.page.keyboard.press('/');
    await s.page.keyboard.type('client1');
    await s.page.getByRole('button', { name: /^Expired/ }).click();
    await s.row('client11').waitFor();
    await until('only those who match', async () => (await s.page.getByRole('row').count()) === 7);
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
    await s.row('client20').getByText('Disabled').waitFor();
    await s.field('Select client20').check();
    await s.page.getByRole('button', { name: /^Select all 11 that match/ }).click();
    await s.button('Enable').click();
    await s.dialog().getByText('2 of 11 will change.').waitFor();
    await s.dialog().getByRole('button', { name: 'Enable' }).click();
    await s.row('client22').getByText('Active').waitFor();
  });

  await s.journey('palette', async () => {
    await s.open('/');
    await s.page.locator('main#content h1').waitFor();
    await s.page.keyboard.press('Control+k');
    await s.page.getByPlaceholder('User or command…').fill('alic');
    await s.dialog().getByText('alice').waitFor();
    await s.page.keyboard.press('ArrowDown');
    await s.page.keyboard.press('Enter');
    await s.heading('alice').waitFor();
  });

  await s.journey('delete names its object and asks', async () => {
    await s.open('/users/client0');
    await s.button('Actions for client0').click();
    await s.page.getByRole('menuitem', { name: 'Delete' }).click();
    await s.dialog().getByText('Delete client0?').waitFor();
    await s.page.keyboard.press('Escape');
    await s.dialog().waitFor({ state: 'hidden' });
    check((await s.api('GET', '/users/client0')).username === 'client0', 'Escape deleted him');
    await s.button('Actions for client0').click();
    await s.page.getByRole('menuitem', { name: 'Delete' }).click();
    await s.dialog().getByRole('button', { name: 'Delete' }).click();
    await s.page.getByText('client0 is deleted.').waitFor();
    await s.heading('Users').waitFor();
    check((await s.api('GET', '/users?search=client0')).total === 0, 'he is still there');
  });
}
