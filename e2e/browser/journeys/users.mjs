import { readFileSync } from 'node:fs';
import { ADMIN, readQr } from '../harness.mjs';
import { check } from '../run.mjs';

/** The first login, and everything with one user. */
export async function users(s) {
  await s.journey('first login', async () => {
    await s.open('/users/nobody');
    await s.page.locator('input[name=username]').fill(ADMIN.username);
    await s.page.locator('input[name=password]').fill('something wrong');
    await s.page.locator('button[type=submit]').click();
    await s.page.getByText('Wrong name or password.').waitFor();
    await s.page.locator('input[name=password]').fill(ADMIN.password);
    await s.page.locator('button[type=submit]').click();
    // The login leads to the page that was wanted.
    await s.page.getByText('There is no such user').waitFor();
    const stored = await s.page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie]));
    check(!/eyJ/.test(stored), 'a token is stored where scripts can read it');
    await s.open('/');
    await s.page.getByText('Create the first user').waitFor();
  });

  await s.journey('create with every limit', async () => {
    await s.page.keyboard.press('n');
    await s.heading('New user').waitFor();
    await s.button('Create').click();
    await s.page.getByText('Fill this in.').waitFor();
    await s.field('Name').fill('scope_x');
    await s.button('Create').click();
    await s.page.getByText('This name is reserved.').waitFor();
    await s.field('Name').fill('alice');
    await s.field('Traffic limit').fill('1.5');
    await s.button('+30 d').click();
    await s.field('Connections at once').fill('8');
    await s.field('Addresses at once').fill('3');
    await s.field('Reset usage').selectOption('monthly');
    await s.field('Note').fill('<script>alert(1)</script><b>bold</b>');
    await s.button('Create').click();
    await s.heading('alice').waitFor();
    await s.page.getByText('<script>alert(1)</script><b>bold</b>').first().waitFor();
    const alice = await s.api('GET', '/users/alice');
    check(alice.data_limit === 1.5 * 1024 ** 3, `limit ${alice.data_limit}`);
    check(alice.max_connections === 8 && alice.max_unique_ips === 3 && alice.reset_strategy === 'monthly', 'limits');
    const days = (Date.parse(alice.expire_at) - Date.now()) / 86_400_000;
    check(days > 29.9 && days <= 30.1, `expires in ${days} days`);
  });

  await s.journey('the QR code contains the link', async () => {
    const { proxy_links } = await s.api('GET', '/users/alice');
    const code = s.page.getByRole('img', { name: 'QR code of the link of alice' });
    const picture = await code.screenshot();
    const text = await s.page.evaluate(async (base64) => {
      const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]));
      const canvas = new OffscreenCanvas(bitmap.width * 2, bitmap.height * 2);
      const drawing = canvas.getContext('2d');
      drawing.imageSmoothingEnabled = false;
      drawing.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      const { data, width, height } = drawing.getImageData(0, 0, canvas.width, canvas.height);
      return { data: Array.from(data), width, height };
    }, picture.toString('base64'));
    const found = readQr()(Uint8ClampedArray.from(text.data), text.width, text.height);
    check(found?.data === proxy_links.tg_link, `the code says ${found?.data}`);
    for (const format of ['PNG', 'SVG']) {
      const [file] = await Promise.all([s.page.waitForEvent('download'), s.button(`Download the QR code as ${format}`).click()]);
      check(file.suggestedFilename() === `alice.${format.toLowerCase()}`, file.suggestedFilename());
      check(readFileSync(await file.path()).length > 500, `${format} is empty`);
    }
    await s.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await s.button('Copy link').click();
    await s.page.getByText('Copied').waitFor();
    check((await s.page.evaluate(() => navigator.clipboard.readText())) === proxy_links.https_link, 'clipboard');
  });

  await s.journey('edit and clear a limit', async () => {
    const before = await s.api('GET', '/users/alice');
    await s.open('/users/alice/edit');
    await s.field('Traffic limit').fill('');
    await s.button('Save').click();
    await s.page.getByText('alice is saved.').waitFor();
    const after = await s.api('GET', '/users/alice');
    check(after.data_limit === null, 'the limit is still there');
    for (const name of ['expire_at', 'max_connections', 'max_unique_ips', 'note', 'reset_strategy']) {
      check(before[name] === after[name], `${name} moved from ${before[name]} to ${after[name]}`);
    }
    await s.open('/users/alice/edit');
    await s.field('Note').fill('not to be lost');
    await s.page.getByRole('link', { name: 'Dashboard' }).click();
    await s.page.getByText('Leave without saving?').waitFor();
    await s.button('Stay').click();
    check((await s.field('Note').inputValue()) === 'not to be lost', 'the note is lost');
    await s.button('Cancel').click();
    await s.button('Leave').click();
    await s.heading('alice').waitFor();
  });

  await s.journey('a form starts with the current values and takes the digits of any keyboard', async () => {
    await s.open('/users/alice');
    await s.heading('alice').waitFor();
    await s.api('PUT', '/users/alice', { note: 'written elsewhere' });
    await s.page.getByRole('link', { name: 'Edit' }).click();
    await s.field('Note').waitFor();
    check((await s.field('Note').inputValue()) === 'written elsewhere', 'it starts with an old note');
    await s.field('Traffic limit').pressSequentially('۲٫۵');
    await s.field('Connections at once').fill('');
    await s.field('Connections at once').pressSequentially('٤');
    await s.button('Save').click();
    await s.page.getByText('alice is saved.').waitFor();
    const alice = await s.api('GET', '/users/alice');
    check(alice.data_limit === 2.5 * 1024 ** 3 && alice.max_connections === 4, `${alice.data_limit}, ${alice.max_connections}`);
    await s.api('PUT', '/users/alice', { data_limit: null, max_connections: 8 });
  });

  await s.journey('the expiry is picked in the calendar by keyboard alone', async () => {
    const before = await s.api('GET', '/users/alice');
    await s.open('/users/alice/edit');
    const field = s.page.getByLabel('Expires', { exact: true });
    await field.focus();
    await s.page.keyboard.press('Enter');
    await s.dialog().getByRole('table').waitFor();
    await s.dialog().getByLabel('Next month').focus();
    await s.page.keyboard.press('Enter');
    await s.dialog().locator('button', { hasText: /^15$/ }).focus();
    await s.page.keyboard.press('Enter');
    await s.dialog().getByLabel('Hours').pressSequentially('0930');
    await s.page.keyboard.press('Tab');
    await s.page.keyboard.press('Enter');
    await s.dialog().waitFor({ state: 'hidden' });
    const shown = await field.textContent();
    check(/^\d{4}-\d\d-15 09:30$/.test(shown), `it shows ${shown}`);
    await s.button('Save').click();
    await s.waitForText('alice is saved.');
    const { expire_at } = await s.api('GET', '/users/alice');
    // Tehran is three and a half hours ahead.
    check(expire_at === `${shown.slice(0, 10)}T06:00:00Z`, `stored as ${expire_at}`);
    await s.api('PUT', '/users/alice', { expire_at: before.expire_at });
  });

  await s.journey('an old link is not shown after a new secret', async () => {
    const links = async () => (await s.api('GET', '/users/alice/links')).tg_link;
    await s.open('/users');
    await s.button('Link and QR code: alice').click();
    await s.dialog().getByText(await links()).waitFor();
    await s.page.keyboard.press('Escape');
    await s.dialog().waitFor({ state: 'hidden' });
    await s.api('POST', '/users/alice/regenerate-secret');
    await s.button('Link and QR code: alice').click();
    const shown = await s.dialog().locator('a[href^="tg:"]').textContent();
    check(shown === (await links()), `it shows ${shown}`);
    await s.page.keyboard.press('Escape');
    await s.button('Actions for alice').click();
    await s.page.getByRole('menuitem', { name: 'Copy link' }).click();
    await s.page.getByText('The link of alice is copied.').waitFor();
    const { https_link } = await s.api('GET', '/users/alice/links');
    check((await s.page.evaluate(() => navigator.clipboard.readText())) === https_link, 'another link is copied');
  });

  await s.journey('the skip link keeps the page and its filter', async () => {
    await s.open('/users?search=alice');
    await s.row('alice').waitFor();
    await s.page.evaluate(() => (window.isSame = true));
    await s.page.keyboard.press('Tab');
    await s.page.getByRole('link', { name: 'Skip to content' }).press('Enter');
    check(await s.page.evaluate(() => window.isSame && document.activeElement?.id === 'content'), 'the page was loaded again');
    check(/search=alice/.test(s.page.url()), s.page.url());
  });

  await s.journey('errors of the server are shown at their fields', async () => {
    await s.open('/new-user');
    await s.field('Name').fill('ALICE');
    await s.button('Create').click();
    await s.page.getByText('This name is taken.').waitFor();
    // Only the server knows that a note may not hold this.
    await s.field('Name').fill('another');
    await s.field('Note').fill('before\u0000after');
    await s.button('Create').click();
    await s.page.getByText('may not hold a NUL character').waitFor();
    check((await s.field('Note').getAttribute('aria-invalid')) === 'true', 'not shown at its field');
    await s.button('Cancel').click();
    await s.button('Leave').click();
  });

  await s.journey('a new secret after a warning', async () => {
    const before = await s.api('GET', '/users/alice/links');
    await s.open('/users/alice');
    await s.button('Actions for alice').click();
    await s.page.getByRole('menuitem', { name: 'New secret' }).click();
    await s.dialog().getByText('The old link and QR code stop working').waitFor();
    await s.dialog().getByRole('button', { name: 'New secret' }).click();
    await s.page.getByText('alice has a new secret.').waitFor();
    const after = await s.api('GET', '/users/alice/links');
    check(before.tg_link !== after.tg_link, 'the link is the same');
    await s.page.getByText(after.tg_link).waitFor();
  });
}
