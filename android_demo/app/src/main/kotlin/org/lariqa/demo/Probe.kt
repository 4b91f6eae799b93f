package org.lariqa.demo
class ProbeActivity : android.app.Activity() {
    override fun onCreate(s: android.os.Bundle?) { super.onCreate(s); setContentView(android.widget.TextView(this).apply { setText(R.string.app_name); textSize = 40f }) }
}
