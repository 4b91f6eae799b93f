// Stand-in for the part of SwiftUI that the app uses: the compiler checks the app's views against it on Linux, and
// nothing is drawn. It is this project's claim about SwiftUI, not a proof. See Package.swift.
@_exported import CoreGraphics
@_exported import CoreTransferable
@_exported import Foundation
@_exported import Observation
@_exported import UIKit

// Views and how they are built.
@MainActor @preconcurrency public protocol View {
    associatedtype Body: View
    @ViewBuilder var body: Body { get }
}
extension Never: View { public var body: Never { fatalError() } }
public protocol Primitive: View where Body == Never {}
extension Primitive { public var body: Never { fatalError() } }
public struct EmptyView: Primitive { public init() {} }
public struct Several<each Part: View>: Primitive {}
public struct Either<First: View, Second: View>: Primitive {}
public struct Changed: Primitive {}
extension Optional: View where Wrapped: View { public var body: Never { fatalError() } }
@MainActor @resultBuilder public enum ViewBuilder {
    public static func buildBlock() -> EmptyView { EmptyView() }
    public static func buildBlock<Part: View>(_ part: Part) -> Part { part }
    public static func buildBlock<each Part: View>(_ parts: repeat each Part) -> Several<repeat each Part> { Several() }
    public static func buildIf<Part: View>(_ part: Part?) -> Part? { part }
    public static func buildEither<A: View, B: View>(first: A) -> Either<A, B> { Either() }
    public static func buildEither<A: View, B: View>(second: B) -> Either<A, B> { Either() }
}

// The app.
@MainActor @preconcurrency public protocol Scene {
    associatedtype Body: Scene
    var body: Body { get }
}
extension Never: Scene {}
public struct WindowGroup<Content: View>: Scene {
    public init(@ViewBuilder content: () -> Content) {}
    public var body: Never { fatalError() }
}
@MainActor @preconcurrency public protocol App {
    associatedtype Body: Scene
    var body: Body { get }
    init()
}
extension App { public static func main() {} }

// State.
@propertyWrapper public struct State<Value> {
    private let initial: Value
    public init(wrappedValue: Value) { initial = wrappedValue }
    public init(initialValue: Value) { initial = initialValue }
    public var wrappedValue: Value {
        get { initial }
        nonmutating set {}
    }
    public var projectedValue: Binding<Value> { fatalError() }
}
extension State where Value: ExpressibleByNilLiteral { public init() { initial = nil } }
@propertyWrapper @dynamicMemberLookup public struct Binding<Value> {
    private let get: () -> Value
    private let set: (Value) -> Void
    public init(
        get: @escaping @isolated(any) @Sendable () -> Value, set: @escaping @isolated(any) @Sendable (Value) -> Void
    ) {
        fatalError()
    }
    public var wrappedValue: Value {
        get { get() }
        nonmutating set { set(newValue) }
    }
    public var projectedValue: Binding<Value> { self }
    public subscript<Part>(dynamicMember path: WritableKeyPath<Value, Part>) -> Binding<Part> { fatalError() }
}
@dynamicMemberLookup @propertyWrapper public struct Bindable<Value: AnyObject & Observable> {
    public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }
    public let wrappedValue: Value
    public var projectedValue: Bindable<Value> { self }
    public subscript<Part>(dynamicMember path: ReferenceWritableKeyPath<Value, Part>) -> Binding<Part> { fatalError() }
}

// Controls.
public struct Text: Primitive {
    public init(_ text: String) {}
}
public struct Image: Primitive {
    public init(systemName: String) {}
    public init(_ image: CGImage, scale: CGFloat, label: Text) {}
    public func resizable() -> Image { self }
}
public struct Label: Primitive {
    public init(_ title: String, systemImage: String) {}
}
public enum ButtonRole: Sendable { case cancel, destructive }
public struct Button<Content: View>: Primitive {
    public init(action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> Content) {}
}
extension Button where Content == Text {
    public init(_ title: String, action: @escaping @MainActor () -> Void) {}
    public init(_ title: String, role: ButtonRole?, action: @escaping @MainActor () -> Void) {}
}
public struct Toggle: Primitive {
    public init(_ title: String, isOn: Binding<Bool>) {}
}
public struct Stepper: Primitive {
    public init<V: Strideable>(_ title: String, value: Binding<V>, in bounds: ClosedRange<V>, step: V.Stride) {}
}
public struct Picker: Primitive {
    public init<Selection: Hashable, Content: View>(
        _ title: String, selection: Binding<Selection>, @ViewBuilder content: () -> Content
    ) {}
}
public struct ProgressView: Primitive {
    public init() {}
    public init(_ title: String) {}
    public init(value: Double?) {}
    public init<Content: View>(value: Double?, @ViewBuilder label: () -> Content) {}
}
public struct LabeledContent: Primitive {
    public init(_ title: String, value: String) {}
}
public struct ShareLink: Primitive {
    public init(_ title: String, item: URL) {}
}

// Containers.
public enum HorizontalAlignment: Sendable { case leading, center }
public enum VerticalAlignment: Sendable { case top, center }
public struct VStack: Primitive {
    public init<Content: View>(alignment: HorizontalAlignment = .center, @ViewBuilder content: () -> Content) {}
}
public struct HStack: Primitive {
    public init<Content: View>(alignment: VerticalAlignment = .center, @ViewBuilder content: () -> Content) {}
}
public struct Spacer: Primitive { public init() {} }
public struct NavigationStack: Primitive { public init<Content: View>(@ViewBuilder root: () -> Content) {} }
public struct TabView: Primitive { public init<Content: View>(@ViewBuilder content: () -> Content) {} }
public struct Form: Primitive { public init<Content: View>(@ViewBuilder content: () -> Content) {} }
public struct List: Primitive { public init<Content: View>(@ViewBuilder content: () -> Content) {} }
public struct Section: Primitive {
    public init<Content: View>(@ViewBuilder content: () -> Content) {}
    public init<Content: View>(_ title: String, @ViewBuilder content: () -> Content) {}
}
public struct ForEach: Primitive {
    public init<Rows: RandomAccessCollection, Content: View>(
        _ rows: Rows, @ViewBuilder content: (Rows.Element) -> Content
    ) where Rows.Element: Identifiable {}
    public init<Rows: RandomAccessCollection, ID: Hashable, Content: View>(
        _ rows: Rows, id: KeyPath<Rows.Element, ID>, @ViewBuilder content: (Rows.Element) -> Content
    ) {}
}

// Looks.
public struct Font: Sendable {
    public static let largeTitle = Font()
    public static let headline = Font()
    public static let subheadline = Font()
    public static let body = Font()
    public static let caption = Font()
    public static let footnote = Font()
}
public protocol ShapeStyle: Sendable {}
public struct Color: ShapeStyle {
    public static let red = Color()
    public static let green = Color()
    public static let orange = Color()
}
public struct HierarchicalShapeStyle: ShapeStyle {}
extension ShapeStyle where Self == Color {
    public static var red: Color { Color() }
    public static var green: Color { Color() }
    public static var orange: Color { Color() }
}
extension ShapeStyle where Self == HierarchicalShapeStyle {
    public static var secondary: HierarchicalShapeStyle { HierarchicalShapeStyle() }
}
public enum AccessibilityChildBehavior: Sendable { case combine }

extension View {
    public func font(_ font: Font?) -> Changed { Changed() }
    public func monospacedDigit() -> Changed { Changed() }
    public func foregroundStyle<Style: ShapeStyle>(_ style: Style) -> Changed { Changed() }
    public func scaledToFit() -> Changed { Changed() }
    public func disabled(_ isDisabled: Bool) -> Changed { Changed() }
    public func tag<V: Hashable>(_ tag: V) -> Changed { Changed() }
    public func navigationTitle(_ title: String) -> Changed { Changed() }
    public func tabItem<Content: View>(@ViewBuilder _ label: () -> Content) -> Changed { Changed() }
    public func task(_ action: @escaping @Sendable @MainActor () async -> Void) -> Changed { Changed() }
    public func onOpenURL(perform action: @escaping @MainActor (URL) -> Void) -> Changed { Changed() }
    public func onChange<V: Equatable>(of value: V, _ action: @escaping @MainActor (V, V) -> Void) -> Changed {
        Changed()
    }
    public func sheet<Content: View>(
        isPresented: Binding<Bool>, @ViewBuilder content: @escaping () -> Content
    ) -> Changed { Changed() }
    public func dropDestination<T: Transferable>(
        for type: T.Type, action: @escaping @MainActor ([T], CGPoint) -> Bool
    ) -> Changed { Changed() }
    public func accessibilityHidden(_ isHidden: Bool) -> Changed { Changed() }
    public func accessibilityLabel(_ label: String) -> Changed { Changed() }
    public func accessibilityElement(children: AccessibilityChildBehavior) -> Changed { Changed() }
}

// UIKit inside.
public struct UIViewControllerRepresentableContext<Representable: UIViewControllerRepresentable> {
    public var coordinator: Representable.Coordinator { fatalError() }
}
public protocol UIViewControllerRepresentable: Primitive {
    associatedtype UIViewControllerType: UIViewController
    associatedtype Coordinator
    typealias Context = UIViewControllerRepresentableContext<Self>
    @MainActor func makeUIViewController(context: Context) -> UIViewControllerType
    @MainActor func updateUIViewController(_ controller: UIViewControllerType, context: Context)
    @MainActor func makeCoordinator() -> Coordinator
}
