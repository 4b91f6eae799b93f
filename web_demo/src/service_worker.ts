/**
 * Keeps the page, the runtime that was used and the model, so that it works without a network; and gives every answer the
 * headers of `headers.ts`, so that any static server will do.
 *
 *     page, runtime    from the cache; a new build is a new cache
 *     lariqa.json      from the network, from the cache where there is none
 *     model/ files     from the cache; the page compares their sha256 and asks again past it (`reload`) where it differs
 */

import { HEADERS } from "./headers.ts";

declare const VERSION: string;
declare const SHELL: string[];
declare const self: ServiceWorkerGlobalScope;
interface ServiceWorkerGlobalScope extends EventTarget {
  readonly registration: { readonly scope: string };
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: object): Promise<{ postMessage(message: unknown): void }[]>;
  };
  skipWaiting(): Promise<void>;
}
interface ExtendableEvent extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

const PAGE = `lariqa-page-${VERSION}`;
const MODEL = "lariqa-model";

self.addEventListener("install", (event) => {
  const done = caches
    .open(PAGE)
    .then((cache) => cache.addAll(SHELL.map((name) => new Request(name, { cache: "reload" }))));
  (event as ExtendableEvent).waitUntil(done.then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = caches
    .keys()
    .then((names) =>
      Promise.all(
        names.filter((name) => name.startsWith("lariqa-page-") && name !== PAGE).map((name) => caches.delete(name)),
      ),
    );
  (event as ExtendableEvent).waitUntil(old.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event as FetchEvent;
  const place = new URL(request.url);
  const scope = self.registration.scope;
  if (request.method !== "GET" || !place.href.startsWith(scope)) return;
  const path = place.pathname.slice(new URL(scope).pathname.length);
  (event as FetchEvent).respondWith(answer(event as FetchEvent, request, path).then(withHeaders));
});

async function answer(event: FetchEvent, request: Request, path: string): Promise<Response> {
  const ofModel = path.startsWith("model/");
  const key = new URL(path, self.registration.scope).href; // without a query
  const cache = await caches.open(ofModel ? MODEL : PAGE).catch(() => null);
  const networkFirst = path.endsWith("lariqa.json") || request.cache === "reload";
  const kept = await cache?.match(key).catch(() => undefined);
  if (kept && !networkFirst) return kept;
  let came: Response;
  try {
    came = await fetch(request);
  } catch (error) {
    if (kept && request.cache !== "reload") return kept;
    throw error;
  }
  if (cache && came.status === 200) {
    const copy = came.clone();
    event.waitUntil(cache.put(key, copy).catch((error) => tell(String(error))));
  }
  return came;
}

/** What could not be kept is only for now: the page says so, and goes on. */
async function tell(reason: string): Promise<void> {
  for (const client of await self.clients.matchAll({ type: "window", includeUncontrolled: true })) {
    client.postMessage({ notKept: reason });
  }
}

function withHeaders(came: Response): Response {
  if (came.type === "opaqueredirect" || came.status === 0) return came;
  const headers = new Headers(came.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(came.body, { status: came.status, statusText: came.statusText, headers });
}
