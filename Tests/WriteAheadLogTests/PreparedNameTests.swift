import Testing
import WriteAheadLog

@Suite("Names of files that are made ready")
struct PreparedNameTests {
    @Test("every name that is given out is told, whatever its number", arguments: FileFormat.preparedPurposes)
    func own(_ purpose: String) {
        for maker: UInt64 in [0, 1, 0xF, 0x0123_4567_89AB_CDEF, .max] {
            let name = FileFormat.preparedName(purpose, maker: maker)
            #expect(FileFormat.isPreparedName(name), "\(name)")
            #expect(FileFormat.firstLSN(ofSegmentNamed: name) == nil)
        }
        #expect(FileFormat.preparedName(purpose, maker: 255) == "\(purpose)-00000000000000ff.prepared")
    }

    @Test(
        "anybody else's is not",
        arguments: [
            "", "next.prepared", "recompressed.prepared", "notes.prepared", "next-.prepared", "next-ff.prepared",
            "next-00000000000000FF.prepared", "next-00000000000000fg.prepared", "next-000000000000000ff.prepared",
            "next-00000000000000ff.prepared.bak", "anext-00000000000000ff.prepared", "next_00000000000000ff.prepared",
            "recompressed-0000000000000.prepared", "next-00000000000000éé.prepared", "STATE",
        ])
    func others(_ name: String) {
        #expect(!FileFormat.isPreparedName(name))
    }
}
