global using Xunit;

// One X server and one deskd a class; classes run side by side.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
