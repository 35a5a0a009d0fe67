import CCovey
import CoveyClustering
import CoveyFiles
import CoveyRuntime

// Section 8 of covey.h: clusterings in files and in bytes.

@c @implementation
public func covey_clustering_save(
    _ clustering: OpaquePointer?, _ context: OpaquePointer?, _ path: UnsafePointer<CChar>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let clustering: Clustering = try Handle.required(clustering, "clustering")
        let execution = execution(context)
        try clustering.file(execution).write(to: try CoveyABI.path(path), execution)
    }
}

@c @implementation
public func covey_clustering_load(
    _ context: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ clustering: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    clustering?.pointee = nil
    return boundary(error) {
        let clustering = try required(clustering, "clustering")
        let execution = execution(context)
        clustering.pointee = Handle.retain(
            try SafeTensors.read(path: CoveyABI.path(path), execution) { try Clustering($0, execution: execution) })
    }
}

@c @implementation
public func covey_clustering_write(
    _ clustering: OpaquePointer?, _ context: OpaquePointer?, _ bytes: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    bytes?.pointee = nil
    return boundary(error) {
        let bytes = try required(bytes, "bytes")
        let clustering: Clustering = try Handle.required(clustering, "clustering")
        let execution = execution(context)
        bytes.pointee = Handle.retain(try clustering.file(execution).owned(execution))
    }
}

@c @implementation
public func covey_clustering_read(
    _ context: OpaquePointer?, _ bytes: UnsafeRawPointer?, _ length: Int64,
    _ clustering: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    clustering?.pointee = nil
    return boundary(error) {
        let clustering = try required(clustering, "clustering")
        let execution = execution(context)
        let file = try SafeTensors(bytes, length, execution)
        clustering.pointee = Handle.retain(try Clustering(file, execution: execution))
    }
}

@c @implementation
public func covey_clustering_destroy(_ clustering: OpaquePointer?) {
    Handle.release(clustering, as: Clustering.self)
}
