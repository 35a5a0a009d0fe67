import CoveyRuntime

extension SafeTensors {
    /// Opens a file and makes something of its contents. An error in them is reported with the file's path.
    ///
    /// Throws what opening and `body` throw.
    public static func read<Result>(
        path: String, _ execution: Execution = Execution(), _ body: (SafeTensors) throws -> Result
    ) throws -> Result {
        do {
            return try body(SafeTensors(path: path, execution))
        } catch let error as CoveyError {
            throw error.inFile(path)
        }
    }
}

extension CoveyError {
    /// The same error; if it is about the contents of a file, its message begins with the path.
    public func inFile(_ path: String) -> CoveyError {
        guard code == .corruptFile || code == .unsupported, !message.hasPrefix("\(path): ") else { return self }
        return CoveyError(code, "\(path): \(message)")
    }
}
