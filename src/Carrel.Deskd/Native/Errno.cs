using System.Runtime.InteropServices;

namespace Carrel.Deskd.Native;

/// <summary>Turns the calling thread's errno into a sentence, once, for every native call.</summary>
internal static class Errno
{
    public static IOException Failed(string what)
    {
        var number = Marshal.GetLastPInvokeError();
        return new IOException($"{what}: {Marshal.GetPInvokeErrorMessage(number)} (errno {number})");
    }
}
