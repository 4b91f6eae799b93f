package androidx.test.platform.app;

import android.app.Instrumentation;
import android.os.Bundle;

/** Holds the instrumentation that Robolectric makes. */
public final class InstrumentationRegistry {
    private static volatile Instrumentation instance;
    private static volatile Bundle arguments;

    private InstrumentationRegistry() {}

    public static Instrumentation getInstrumentation() {
        if (instance == null) {
            throw new IllegalStateException("no Instrumentation: the test does not run under Robolectric");
        }
        return instance;
    }

    public static Bundle getArguments() {
        return new Bundle(arguments);
    }

    public static void registerInstance(Instrumentation instrumentation, Bundle given) {
        instance = instrumentation;
        arguments = new Bundle(given);
    }
}
