import Testing
import WalBinary
import WriteAheadLog

@Suite struct CodecChoiceTests {
    struct Plain: Codable, WalCodable { var a = 1 }

    private func generic<Record: WalCodable & Codable>(_: Record.Type) -> AnyWalCodec<Record> { .binary() }

    @Test func binaryTakesTheDirectPathWhereThereIsOne() {
        #expect(AnyWalCodec<Change>.binary().base is DirectBinaryCodec<Change>)
        #expect(AnyWalCodec<Plain>.binary().base is CodableBinaryCodec<Plain>)
        #expect(generic(Change.self).base is DirectBinaryCodec<Change>)
        #expect(generic(Plain.self).base is CodableBinaryCodec<Plain>)
    }

    @Test func segmentsNameTheFormatAndOnlyItsVersionIsRead() throws {
        let codec = AnyWalCodec<Plain>.binary()
        #expect(codec.id == 1 && codec.name == "binary" && codec.parameters == [1])
        #expect(try codec.base.reader(id: 1, parameters: [1]) != nil)
        #expect(try codec.base.reader(id: 1, parameters: [2]) == nil)
        #expect(try codec.base.reader(id: 1, parameters: []) == nil)
        #expect(try codec.base.reader(id: 2, parameters: [1]) == nil)
    }
}
