import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { basePath } from '~/lib/base';
import { parseFilters } from '~/lib/filters';
import { NotFound, PageFailed, PagePending } from '~/ui/states';
import { Root } from './Root';

const rootRoute = createRootRoute({ component: Root, notFoundComponent: NotFound });

const parent = () => rootRoute;
const text = (value: unknown) =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
const positive = (value: unknown) =>
  Number.isSafeInteger(value) && Number(value) > 1 ? Number(value) : undefined;

const routes = [
  createRoute({
    getParentRoute: parent,
    path: '/',
    component: lazyRouteComponent(() => import('~/pages/dashboard/Dashboard'), 'Dashboard'),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/users',
    validateSearch: parseFilters,
    component: lazyRouteComponent(() => import('~/pages/users/Users'), 'Users'),
  }),
  createRoute({
    getParentRoute: parent,
    // Not under /users: somebody may be called "new".
    path: '/new-user',
    component: lazyRouteComponent(() => import('~/pages/userForm/CreateUser'), 'CreateUser'),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/users/$username',
    component: lazyRouteComponent(() => import('~/pages/user/UserPage'), 'UserPage'),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/users/$username/edit',
    component: lazyRouteComponent(() => import('~/pages/userForm/EditUser'), 'EditUser'),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/admins',
    component: lazyRouteComponent(() => import('~/pages/admins/Admins'), 'Admins'),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/audit',
    validateSearch: (query: Record<string, unknown>): AuditFilters => ({
      actor: text(query.actor),
      action: text(query.action),
      target: text(query.target),
      page: positive(query.page),
    }),
    component: lazyRouteComponent(() => import('~/pages/audit/Audit'), 'Audit'),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/settings',
    component: lazyRouteComponent(() => import('~/pages/settings/Settings'), 'Settings'),
  }),
] as const;

export interface AuditFilters {
  actor?: string | undefined;
  action?: string | undefined;
  target?: string | undefined;
  page?: number | undefined;
}

export const router = createRouter({
  routeTree: rootRoute.addChildren(routes),
  basepath: basePath,
  defaultPreload: 'intent',
  defaultPendingComponent: PagePending,
  defaultErrorComponent: PageFailed,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
