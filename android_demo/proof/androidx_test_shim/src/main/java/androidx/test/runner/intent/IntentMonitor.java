package androidx.test.runner.intent;

/** Named by the registry; nothing here asks it anything. */
public interface IntentMonitor {}
