import WalTool

await Walctl.main()
