import { cleanup } from '@testing-library/react';
import { afterEach, vi } from 'vitest';

class Observer {
  observe() {}
  unobserve() {}
  disconnect() {}
}

afterEach(cleanup);

// jsdom has no layout; Mantine asks for these. Some tests need no page at all.
if (typeof window !== 'undefined') pretendLayout();

function pretendLayout() {
  Object.defineProperty(window, 'matchMedia', {
    value: (query: string) => ({
      matches: false,
      media: query,
      addEventListener: vi.fn(),
      removeEventListener: vi.fn(),
      addListener: vi.fn(),
      removeListener: vi.fn(),
      dispatchEvent: vi.fn(),
    }),
  });
  window.ResizeObserver ??= Observer as unknown as typeof ResizeObserver;
  window.HTMLElement.prototype.scrollIntoView ??= () => {};
}
