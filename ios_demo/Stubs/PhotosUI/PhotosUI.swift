// Stand-in for the part of PhotosUI that the app uses. See Package.swift.
import CoreTransferable
import SwiftUI

public struct PHPickerFilter: Sendable {
    public static let images = PHPickerFilter()
}
public struct PhotosPickerItem: Hashable, Sendable {
    public struct EncodingDisambiguationPolicy: Sendable {
        public static let current = EncodingDisambiguationPolicy()
    }
    public func loadTransferable<T: Transferable>(type: T.Type) async throws -> T? { nil }
}
public struct PhotosPicker<Label: View>: Primitive {
    public init(
        selection: Binding<PhotosPickerItem?>, matching: PHPickerFilter? = nil,
        preferredItemEncoding: PhotosPickerItem.EncodingDisambiguationPolicy, @ViewBuilder label: () -> Label
    ) {}
    public init(
        selection: Binding<[PhotosPickerItem]>, maxSelectionCount: Int? = nil, matching: PHPickerFilter? = nil,
        preferredItemEncoding: PhotosPickerItem.EncodingDisambiguationPolicy, @ViewBuilder label: () -> Label
    ) {}
}
