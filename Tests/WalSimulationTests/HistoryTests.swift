import Testing
import WalSimulation
