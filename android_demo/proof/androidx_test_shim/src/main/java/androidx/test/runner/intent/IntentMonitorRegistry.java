package androidx.test.runner.intent;

/** Robolectric registers its monitor here; nothing here reads it. */
public final class IntentMonitorRegistry {
    private IntentMonitorRegistry() {}

    public static void registerInstance(IntentMonitor monitor) {}
}
