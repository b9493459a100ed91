import { check } from '../run.mjs';

/** Languages, themes, accessibility, a phone. */
export async function looks(s) {
  await s.journey('languages, direction and theme are remembered', async () => {
    await s.open('/settings');
    await s.page.getByLabel('Language').selectOption('fa');
    await s.heading('تنظیمات').waitFor();
    check((await s.page.locator('html').getAttribute('dir')) === 'rtl', 'not right to left');
    await s.page.getByText('تیره', { exact: true }).click();
    await s.page.reload();
    await s.heading('تنظیمات').waitFor();
    check((await s.page.locator('html').getAttribute('data-mantine-color-scheme')) === 'dark', 'not dark');
    await s.page.locator('select').first().selectOption('ru');
    await s.heading('Настройки').waitFor();
    await s.page.locator('select').first().selectOption('en');
  });

  await s.journey('axe finds nothing in a dialog or a form', async () => {
    await s.open('/users/alice/edit');
    await s.field('Traffic limit').waitFor();
    await s.checkAccessibility('edit');
    await s.open('/users');
    await s.button('Link and QR code: alice').click();
    await s.dialog().getByText('Web address').waitFor();
    await s.checkAccessibility('QR');
    await s.open('/admins');
    await s.button('New administrator').click();
    await s.dialog().getByLabel('New password').waitFor();
    await s.checkAccessibility('new administrator');
  });

  await s.journey('a phone: a new user and their QR code within a minute', async () => {
    const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
    await s.inAnotherBrowser('a phone, the list', phone, async () => {
      const began = Date.now();
      await s.open('/users');
      await s.logIn();
      await s.page.getByRole('link', { name: 'New user' }).tap();
      await s.button('Generate').tap();
      const name = await s.field('Name').inputValue();
      await s.button('+30 d').tap();
      await s.checkAccessibility('form');
      await s.button('Create').tap();
      await s.page.getByRole('img', { name: `QR code of the link of ${name}` }).waitFor();
      await s.checkAccessibility('user');
      const code = await s.page.getByRole('img', { name: `QR code of the link of ${name}` }).boundingBox();
      check(code.y + code.height < 844 && code.width >= 180, `the code is at ${JSON.stringify(code)}`);
      check(Date.now() - began < 60_000, 'it took longer than a minute');
      await s.shot('a phone, the new user');
      await s.page.getByRole('link', { name: 'Users', exact: true }).tap();
      await s.page.getByRole('listitem').filter({ hasText: name }).getByRole('button', { name: /^Link and QR code/ }).tap();
      await s.dialog().getByText('Web address').waitFor();
      await s.checkAccessibility('QR');
      await s.shot('a phone, the QR code');
      await s.dialog().getByRole('button', { name: 'Close' }).tap();
      await s.dialog().waitFor({ state: 'hidden' });
      await s.checkAccessibility('list');
    });
  });
}
