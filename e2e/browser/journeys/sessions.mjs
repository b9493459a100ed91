import { ADMIN, connect } from '../harness.mjs';
import { check } from '../run.mjs';

/** Login sessions and administrators. */
export async function sessions(s) {
  await s.journey('a login session that ends in a form loses nothing', async () => {
    await s.open('/users');
    await s.page.getByRole('link', { name: 'New user' }).click();
    await s.field('Name').fill('patient');
    await s.field('Note').fill('typed before the end');
    await s.api('DELETE', '/admin/sessions');
    s.api = await connect(s.panel);
    await s.button('Create').click();
    await s.dialog().getByText('Your login session has ended').waitFor();
    await s.checkAccessibility('login over a form');
    await s.shot('login over a form');
    // The form is not saved yet, so leaving it asks.
    await s.page.goBack();
    await s.page.getByText('Leave without saving?').waitFor();
    await s.dialog().getByLabel('Password (admin)').fill('wrong again and again');
    await s.dialog().getByRole('button', { name: 'Log in', exact: true }).click();
    await s.dialog().getByText('Wrong name or password.').waitFor();
    await s.dialog().getByLabel('Password (admin)').fill(ADMIN.password);
    await s.dialog().getByRole('button', { name: 'Log in', exact: true }).click();
    await s.heading('patient').waitFor();
    await s.page.getByText('typed before the end').first().waitFor();
  });

  await s.journey('a second administrator sees only their own users', async () => {
    await s.open('/admins');
    await s.button('New administrator').click();
    await s.dialog().getByLabel('Name').fill('helper');
    await s.dialog().getByRole('button', { name: 'Generate' }).click();
    const password = await s.dialog().getByLabel('New password').inputValue();
    await s.dialog().getByRole('button', { name: 'Create' }).click();
    await s.page.getByText('helper is created.').waitFor();
    const helper = await connect(s.panel, { username: 'helper', password });
    await helper('POST', '/users', { username: 'helpers_own' });
    await s.inAnotherBrowser('second administrator, own view', { viewport: { width: 1280, height: 800 } }, async () => {
      await s.open('/users');
      await s.logIn({ username: 'helper', password });
      await s.row('helpers_own').waitFor();
      check((await s.page.getByRole('row').count()) === 2, 'the users of others are shown');
      await s.shot('second administrator, own users');
      check((await s.page.getByRole('link', { name: 'Administrators' }).count()) === 0, 'the link to the administrators is shown');
      await s.open('/admins');
      await s.page.getByText('For sudo administrators only').waitFor();
      await s.checkAccessibility('denied');
      await s.shot('denied');
      await s.open('/users/alice');
      await s.page.getByText('There is no such user').waitFor();
      await s.checkAccessibility('no such user');
      await s.open('/settings');
      await s.field('Current password').fill('not the right password');
      await s.field('New password').fill('my very own password');
      await s.button('Change password').click();
      await s.page.getByText('This is not your password.').waitFor();
      await s.field('Current password').fill(password);
      await s.button('Change password').click();
      await s.page.getByText('Your password is changed.').waitFor();
      await s.page.reload();
      await s.heading('Settings').waitFor();
      await s.button('Log out here').click();
      await s.page.locator('input[name=username]').waitFor();
      await s.page.reload();
      await s.page.locator('input[name=username]').waitFor();
    });
  });

  await s.journey('the login over a dialog keeps the dialog', async () => {
    await s.open('/users?search=client2');
    await s.field('Select client20').check();
    await s.button('Add days').click();
    await s.dialog().getByText(/will change|would change/).waitFor();
    await s.api('DELETE', '/admin/sessions');
    s.api = await connect(s.panel);
    await s.dialog().getByLabel('Days').fill('31');
    await s.page.getByText('Your login session has ended').waitFor();
    await s.page.keyboard.press('Escape');
    await s.page.keyboard.press('Control+k');
    check((await s.page.getByPlaceholder('User or command…').count()) === 0, 'the palette opened');
    await s.page.getByLabel('Password (admin)').fill(ADMIN.password);
    await s.button('Log in').click();
    await s.page.getByText('Your login session has ended').waitFor({ state: 'hidden' });
    check((await s.dialog().getByLabel('Days').inputValue()) === '31', 'the dialog is gone');
  });

  await s.journey('a tab follows the administrator who logs in and out in another tab', async () => {
    await s.open('/new-user');
    await s.field('Name').fill('of_the_first');
    await s.api('DELETE', '/admin/sessions');
    s.api = await connect(s.panel);
    const first = s.page;
    await s.inAnotherTab(async () => {
      await s.open('/');
      await s.logIn({ username: 'helper', password: 'my very own password' });
      await first.getByRole('button', { name: 'Create' }).click();
      await first.locator('nav').getByText('helper').waitFor();
      check((await first.getByRole('link', { name: 'Administrators' }).count()) === 0, 'the tab still has the rights of the first');
      check((await s.api('GET', '/users?search=of_the_first')).total === 0, 'the request of the first was sent as the second');
      await s.button('Log out').click();
      await s.page.locator('input[name=username]').waitFor();
      await first.locator('input[name=username]').waitFor();
    });
    await s.logIn();
  });

  await s.journey('log-out everywhere ends the login sessions of other browsers', async () => {
    await s.inAnotherBrowser('logged out from elsewhere', {}, async () => {
      await s.open('/settings');
      await s.logIn();
      const here = s.page;
      await s.inAnotherBrowser('log-out everywhere', {}, async () => {
        await s.open('/settings');
        await s.logIn();
        await s.button('Log out everywhere').click();
        await s.dialog().getByRole('button', { name: 'Log out everywhere' }).click();
        await s.page.locator('input[name=username]').waitFor();
      });
      check(s.page === here, 'the page is not the one before');
      await s.page.getByRole('link', { name: 'Audit log' }).click();
      await s.dialog().getByText('Your login session has ended').waitFor();
      await s.dialog().getByRole('button', { name: 'Log in as somebody else' }).click();
      await s.page.locator('input[name=username]').waitFor();
    });
  });

  await s.journey('after too many attempts the login says how long to wait', async () => {
    await s.inAnotherBrowser('too many attempts, view', {}, async () => {
      await s.open('/');
      for (let n = 0; n < 12 && (await s.page.getByText(/Too many attempts/).count()) === 0; n++) {
        await s.page.locator('input[name=username]').fill('intruder');
        await s.page.locator('input[name=password]').fill('guess number one');
        const answer = s.page.waitForResponse(/admin\/session$/);
        await s.page.locator('button[type=submit]').click();
        await answer;
        await s.page.locator('button[type=submit]:not([data-loading])').waitFor();
        await s.page.locator('[role=alert]').waitFor();
      }
      await s.page.getByText(/Too many attempts\. Try again in \d+ s\./).waitFor();
      check(await s.page.locator('button[type=submit]').isDisabled(), 'the button is enabled');
    });
  });
}
