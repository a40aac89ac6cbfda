using Carrel.Contracts;

namespace Carrel.Machines.Native;

/// <summary>Turns what the host's files and calls throw into the failure a caller outside of this project sees.</summary>
internal static class HostFailure
{
    internal static Failure Of(IOException thrown) => ErrnoOf(thrown) switch
    {
        Errno.NoSpace => new Failure(ErrorCodes.HostDiskFull, $"{Sentence(thrown)}", "Free disk space on the host."),
        _ => new Failure(ErrorCodes.LaunchFailed, $"{Sentence(thrown)}", "Run `carrel doctor` on the host."),
    };

    // The runtime keeps the errno of a failed file operation in HResult.
    private static int ErrnoOf(IOException thrown) => thrown is NativeException native ? native.Errno : thrown.HResult;

    private static string Sentence(IOException thrown) => thrown.Message.EndsWith('.') ? thrown.Message : thrown.Message + ".";
}
