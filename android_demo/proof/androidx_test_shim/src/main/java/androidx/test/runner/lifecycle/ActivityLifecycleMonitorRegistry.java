package androidx.test.runner.lifecycle;

/** Holds the one monitor. */
public final class ActivityLifecycleMonitorRegistry {
    private static volatile ActivityLifecycleMonitor instance;

    private ActivityLifecycleMonitorRegistry() {}

    public static ActivityLifecycleMonitor getInstance() {
        if (instance == null) {
            throw new IllegalStateException("no ActivityLifecycleMonitor: the test does not run under Robolectric");
        }
        return instance;
    }

    public static void registerInstance(ActivityLifecycleMonitor monitor) {
        instance = monitor;
    }
}
