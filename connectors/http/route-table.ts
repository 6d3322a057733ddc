/** What a table finds routes by. */
interface Routed {
  /** `/logs`, or `/hooks/*` for all paths below `/hooks`. */
  readonly path: string;
  /** Paths below `path` are the route's own, too. */
  readonly ownsPathsBelow: boolean;
}

export interface FoundRoute<Route> {
  readonly route: Route;
  /** What stands behind the route's own path. */
  readonly subpath: string;
}

/** Finds the route of a path: the one that names it, otherwise the one with the longest path that it lies below. Paths are compared as they are sent. */
export class RouteTable<Route extends Routed> {
  readonly #exact: ReadonlyMap<string, Route>;
  /** The longest first; each ends without a slash. */
  readonly #folders: readonly { readonly folder: string; readonly route: Route }[];

  constructor(routes: readonly Route[]) {
    this.#exact = new Map(routes.map((route) => [route.path, route]));
    this.#folders = routes
      .filter(({ path, ownsPathsBelow }) => ownsPathsBelow || path.endsWith('/*'))
      .map((route) => ({ route, folder: route.path.replace(/\/\*?$/, '') }))
      .sort((one, other) => other.folder.length - one.folder.length);
  }

  find(path: string): FoundRoute<Route> | null {
    const route = this.#exact.get(path);
    if (route !== undefined) return { route, subpath: '' };
    const found = this.#folders.find(({ folder }) => path.startsWith(`${folder}/`));
    return found === undefined ? null : { route: found.route, subpath: path.slice(found.folder.length) };
  }
}

/** Path and query of a request's target, which may be a whole URL (RFC 9112, 3.2.2). */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const local = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?#]*/i, '');
  const mark = local.indexOf('?');
  const path = mark < 0 ? local : local.slice(0, mark);
  return { path: path === '' ? '/' : path, query: mark < 0 ? '' : local.slice(mark + 1) };
}
