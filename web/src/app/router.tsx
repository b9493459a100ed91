import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import type { ComponentType } from 'react';
import { parseAuditFilters } from '~/features/audit/filters';
import { parseUserFilters } from '~/features/users/list/filters';
import { basePath } from '~/lib/base';
import { lazyComponent } from '~/ui/lazy';
import { NotFound, PageFailed, PagePending } from '~/ui/states';
import { Root } from './Root';

const rootRoute = createRootRoute({ component: Root, notFoundComponent: NotFound });

const page = (load: () => Promise<ComponentType>) =>
  lazyComponent(load, { pending: PagePending, isPage: true });
const parent = () => rootRoute;

const routes = [
  createRoute({
    getParentRoute: parent,
    path: '/',
    component: page(() => import('~/features/dashboard/Dashboard').then((module) => module.Dashboard)),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/users',
    validateSearch: parseUserFilters,
    component: page(() => import('~/features/users/list/Users').then((module) => module.Users)),
  }),
  createRoute({
    getParentRoute: parent,
    // Not under /users, because a user may have the name "new".
    path: '/new-user',
    component: page(() => import('~/features/users/form/CreateUser').then((module) => module.CreateUser)),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/users/$username',
    component: page(() => import('~/features/users/detail/UserPage').then((module) => module.UserPage)),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/users/$username/edit',
    component: page(() => import('~/features/users/form/EditUser').then((module) => module.EditUser)),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/admins',
    component: page(() => import('~/features/admins/Admins').then((module) => module.Admins)),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/audit',
    validateSearch: parseAuditFilters,
    component: page(() => import('~/features/audit/Audit').then((module) => module.Audit)),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/settings',
    component: page(() => import('~/features/settings/Settings').then((module) => module.Settings)),
  }),
] as const;

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
