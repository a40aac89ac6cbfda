using Carrel.Deskd.Native;

namespace Carrel.Deskd.Shell;

/// <summary>Who goes first when the computer's memory is used up: what agents start, not deskd, X or the supervisor.</summary>
internal static unsafe class OutOfMemory
{
    private const string Own = "/proc/self/oom_score_adj";
    private static readonly Lock Gate = new();
    private static readonly byte[] Usual = File.ReadAllBytes(Own);

    private static ReadOnlySpan<byte> First => "500"u8;

    /// <summary>
    /// Starts a child that inherits the higher score. Ours is raised for the moment of the start, because a score written to
    /// the child afterwards comes too late for what the child has started by then.
    /// </summary>
    public static int Offering(Func<int> start)
    {
        lock (Gate)
        {
            Write(First);
            try
            {
                return start();
            }
            finally
            {
                Write(Usual);
            }
        }
    }

    private static void Write(ReadOnlySpan<byte> score)
    {
        using var file = Descriptor.Of(Libc.open(Own, Libc.O_WRONLY | Libc.O_CLOEXEC), Own);
        fixed (byte* start = score)
        {
            if (Libc.write(file.Fd, start, score.Length) < 0)
            {
                throw Errno.Failed($"writing {Own}");
            }
        }
    }
}
