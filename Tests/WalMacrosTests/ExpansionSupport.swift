#if Macros
import SwiftSyntaxBuilder
import SwiftSyntaxMacroExpansion
import SwiftSyntaxMacros
import SwiftSyntaxMacrosGenericTestSupport
import Testing

@testable import WalMacrosPlugin

private let macros: [String: MacroSpec] = [
    "WalRecord": MacroSpec(
        type: WalRecordMacro.self,
        conformances: [
            "WalCodable", "WalDirectCodable", "WalBinaryValue", "WalSchemaProviding", "WalEvolving", "Sendable",
        ]),
    "WalField": MacroSpec(type: WalFieldMacro.self),
]

/// Expands both macros in a source, and compares.
func expect(
    _ source: String, expandsTo expanded: String, diagnostics: [DiagnosticSpec] = [], fixIts: [String]? = nil,
    fixed: String? = nil, fileID: StaticString = #fileID, filePath: StaticString = #filePath, line: UInt = #line,
    column: UInt = #column
) {
    assertMacroExpansion(
        source, expandedSource: expanded, diagnostics: diagnostics, macroSpecs: macros, applyFixIts: fixIts,
        fixedSource: fixed,
        failureHandler: { failure in
            Issue.record(
                Comment(rawValue: failure.message),
                sourceLocation: SourceLocation(
                    fileID: failure.location.fileID, filePath: failure.location.filePath,
                    line: failure.location.line, column: failure.location.column))
        }, fileID: fileID, filePath: filePath, line: line, column: column)
}

/// Expects diagnostics where what else is written does not matter; the source names the macros, and what is fixed as well.
func expect(
    _ source: String, brings diagnostics: DiagnosticSpec..., fixIts: [String]? = nil, fixed: String? = nil,
    fileID: StaticString = #fileID, filePath: StaticString = #filePath, line: UInt = #line, column: UInt = #column
) {
    // An error leaves only the attributes out.
    let bare = source.replacing(/@WalRecord(\(\))? ?/, with: "").replacing(/@WalField\([^)]*\) ?/, with: "")
    expect(
        source, expandsTo: bare, diagnostics: diagnostics, fixIts: fixIts, fixed: fixed, fileID: fileID,
        filePath: filePath, line: line, column: column)
}
#endif
