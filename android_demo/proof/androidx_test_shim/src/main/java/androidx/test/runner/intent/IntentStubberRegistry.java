package androidx.test.runner.intent;

/** No stubber: these tests answer intents through ShadowActivity. */
public final class IntentStubberRegistry {
    private IntentStubberRegistry() {}

    public static boolean isLoaded() {
        return false;
    }

    public static IntentStubber getInstance() {
        throw new IllegalStateException("no IntentStubber is loaded");
    }
}
