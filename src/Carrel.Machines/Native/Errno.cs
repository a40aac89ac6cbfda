using System.Runtime.InteropServices;
using Carrel.Contracts;

namespace Carrel.Machines.Native;

/// <summary>A failed system call, said in a sentence: what was tried, on what, and the system's reason.</summary>
internal sealed class NativeException(string attempt, int errno)
    : IOException($"{attempt}: {Marshal.GetPInvokeErrorMessage(errno)}")
{
    internal int Errno { get; } = errno;
}

internal static class Errno
{
    internal const int NotPermitted = 1;
    internal const int NoEntry = 2;
    internal const int NoProcess = 3;
    internal const int Interrupted = 4;
    internal const int InputOutput = 5;
    internal const int Exists = 17;
    internal const int Busy = 16;
    internal const int Invalid = 22;
    internal const int CrossDevice = 18;
    internal const int NotTty = 25;
    internal const int NoSpace = 28;
    internal const int NotSupported = 95;
    internal const int NoDeviceOrAddress = 6;

    /// <summary>Returns <paramref name="result"/>, or throws with errno when the call failed.</summary>
    internal static int Check(int result, string attempt)
        => result >= 0 ? result : throw new NativeException(attempt, Marshal.GetLastPInvokeError());
}
