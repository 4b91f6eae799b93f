/** The page without a network: its service worker, and what it says when the device has no room for the model. */

const RELOADED = "lariqa-reloaded";

/**
 * Register the service worker and wait until it answers this page's requests, so that the model is kept when it is fetched.
 *
 * On a server that sends no headers of its own, the page is loaded once more, through the service worker: it adds those that
 * isolate the page, without which there are no threads.
 *
 * @param notice shows a sentence; a page that cannot be kept works all the same.
 */
export async function keepOffline(notice: (sentence: string) => void): Promise<void> {
  const workers = navigator.serviceWorker;
  if (!workers) return notice("This browser keeps no pages: it will need the network again.");
  workers.addEventListener("message", ({ data }: MessageEvent<{ notKept?: string }>) => {
    if (data.notKept) {
      notice(
        `The model could not be kept on this device (${data.notKept}); it works now, and will be fetched again next time.`,
      );
    }
  });
  workers.startMessages();
  try {
    await workers.register("service_worker.js", { updateViaCache: "none" });
    await Promise.race([controlled(workers), after(5000)]);
  } catch (error) {
    return notice(`The page could not be kept on this device (${String(error)}); it will need the network again.`);
  }
  if (!globalThis.crossOriginIsolated && workers.controller && !sessionStorage.getItem(RELOADED)) {
    sessionStorage.setItem(RELOADED, "once");
    location.reload();
    await new Promise(() => {});
  }
}

function controlled(workers: ServiceWorkerContainer): Promise<void> {
  if (workers.controller) return Promise.resolve();
  return new Promise((resolve) => workers.addEventListener("controllerchange", () => resolve(), { once: true }));
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
