import Foundation

/// Two significant digits, never an exponent: 0.11, 0.0036, 12. Both phone apps write differences of scores so.
func figure(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
    let digits = max(0, 1 - Int(log10(abs(value)).rounded(.down)))
    return String(format: "%.\(digits)f", value)
}
