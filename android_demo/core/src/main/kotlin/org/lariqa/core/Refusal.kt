package org.lariqa.core
class Probe
