import Foundation

/// Any JSON value: a manifest may hold more than this version knows, and a refusal quotes it.
public enum JSONValue: Codable, Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let array = try? value.decode([JSONValue].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSONValue].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let bool): try value.encode(bool)
        case .number(let number):
            // A whole number stays one: 3840, not 3840.0.
            if let whole = Int(exactly: number) { try value.encode(whole) } else { try value.encode(number) }
        case .string(let string): try value.encode(string)
        case .array(let array): try value.encode(array)
        case .object(let object): try value.encode(object)
        }
    }

    /// As the Python side writes it in its sentences: `'text'`, `None`, `[1, 2]`, `{'key': 'value'}`.
    public var inWords: String {
        switch self {
        case .null: "None"
        case .bool(let bool): bool ? "True" : "False"
        case .number(let number): Int(exactly: number).map(String.init) ?? String(number)
        case .string(let string): "'\(string)'"
        case .array(let array): "[" + array.map(\.inWords).joined(separator: ", ") + "]"
        case .object(let object):
            "{" + object.sorted { $0.key < $1.key }.map { "'\($0.key)': \($0.value.inWords)" }.joined(separator: ", ")
                + "}"
        }
    }
}
