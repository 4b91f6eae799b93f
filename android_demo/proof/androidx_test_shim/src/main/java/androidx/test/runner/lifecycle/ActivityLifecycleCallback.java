package androidx.test.runner.lifecycle;

import android.app.Activity;

/** Told whenever an activity enters a stage. */
public interface ActivityLifecycleCallback {
    void onActivityLifecycleChanged(Activity activity, Stage stage);
}
