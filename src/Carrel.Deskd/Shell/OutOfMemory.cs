using System.Globalization;
using System.Text;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Shell;

/// <summary>Who goes first when the computer's memory is used up: what agents start, not deskd, X or the supervisor.</summary>
internal static unsafe class OutOfMemory
{
    private static ReadOnlySpan<byte> Score => "500"u8;

    public static void OfferFirst(int pid)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/oom_score_adj");
        var fd = Libc.open(path, Libc.O_WRONLY | Libc.O_CLOEXEC);
        if (fd < 0)
        {
            // The child has ended already.
            return;
        }

        using var file = new Descriptor(fd);
        fixed (byte* score = Score)
        {
            _ = Libc.write(fd, score, Score.Length);
        }
    }
}
