package androidx.test.runner.lifecycle;

/** Robolectric registers its monitor here; nothing here reads it. */
public final class ApplicationLifecycleMonitorRegistry {
    private ApplicationLifecycleMonitorRegistry() {}

    public static void registerInstance(ApplicationLifecycleMonitor monitor) {}
}
