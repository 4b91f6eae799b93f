package androidx.test.runner.lifecycle;

/** Where an activity is in its life; the order is that of Robolectric's bookkeeping. */
public enum Stage { PRE_ON_CREATE, CREATED, STARTED, RESUMED, PAUSED, STOPPED, RESTARTED, DESTROYED }
