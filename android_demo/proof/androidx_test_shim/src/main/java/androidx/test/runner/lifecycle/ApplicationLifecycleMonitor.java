package androidx.test.runner.lifecycle;

/** Named by the registry; nothing here asks it anything. */
public interface ApplicationLifecycleMonitor {}
