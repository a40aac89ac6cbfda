using System.Buffers;
using System.Globalization;
using Carrel.Contracts;
using Carrel.Deskd.Http;
using Carrel.Deskd.Native;
using Microsoft.Win32.SafeHandles;

namespace Carrel.Deskd.Files;

/// <summary>Answers with a file's contents, whole or in part.</summary>
internal static class FileReading
{
    public const string ContentType = "application/octet-stream";
    private const int PieceBytes = 256 * 1024;

    /// <summary>
    /// Up to here a file is read before the answer begins: those of /proc and /sys tell a size that is none, and most files
    /// are small anyway.
    /// </summary>
    private const int SmallBytes = 64 * 1024;

    public static Reply Answer(Exchange exchange, PathHandle held, string path)
    {
        var status = held.Status;
        if (!status.IsFile)
        {
            return FileProblem.NotAFile(path, status);
        }

        if (exchange.Header("If-None-Match") is { } known && (known == "*" || known.Contains(status.Tag, StringComparison.Ordinal)))
        {
            return new Reply(304, ContentType, default) { Headers = [("ETag", status.Tag)] };
        }

        if (exchange.Method == "HEAD")
        {
            return Reply.Streamed(200, ContentType, status.Size, (_, _) => Task.CompletedTask, Headers(status));
        }

        var file = held.OpenToRead();
        if (file is null)
        {
            return FileProblem.Last($"opening {path}");
        }

        var handle = new SafeFileHandle(file.Fd, ownsHandle: false);
        try
        {
            return status.Size <= SmallBytes ? Small(exchange, ref file, handle, status) : Large(exchange, ref file, handle, status);
        }
        catch (IOException e)
        {
            return FileProblem.Of(e.HResult, $"reading {path}");
        }
        finally
        {
            file?.Dispose();
        }
    }

    private static Reply Small(Exchange exchange, ref Descriptor? file, SafeFileHandle handle, FileStatus status)
    {
        var bytes = new byte[status.Size == 0 ? SmallBytes + 1 : (int)status.Size + 1];
        var length = 0;
        for (int read; length < bytes.Length && (read = RandomAccess.Read(handle, bytes.AsSpan(length), length)) > 0; length += read)
        {
        }

        if (length == bytes.Length)
        {
            // Longer than it says: its end is where reading ends.
            return Unmeasured(exchange, ref file, handle, bytes, status);
        }

        return Ranged(exchange, status, length, range =>
            new Reply(range.IsPart ? 206 : 200, ContentType, bytes.AsMemory((int)range.From, (int)range.Length)) { Headers = Headers(status, range, length) });
    }

    private static Reply Large(Exchange exchange, ref Descriptor? file, SafeFileHandle handle, FileStatus status)
    {
        var open = file!;
        var answer = Ranged(exchange, status, status.Size, range => Reply.Streamed(
            range.IsPart ? 206 : 200, ContentType, range.Length, (_, cancellationToken) => SendAsync(exchange, open, handle, range, cancellationToken), Headers(status, range, status.Size)));
        file = answer.Body is null ? file : null;
        return answer;
    }

    private static Reply Unmeasured(Exchange exchange, ref Descriptor? file, SafeFileHandle handle, byte[] begun, FileStatus status)
    {
        var open = file!;
        file = null;
        return Reply.Streamed(200, ContentType, null, async (_, cancellationToken) =>
        {
            using var closed = open;
            var writer = await exchange.StartAnswerAsync();
            await writer.WriteAsync(begun, cancellationToken);
            var at = (long)begun.Length;
            for (int read; (read = RandomAccess.Read(handle, writer.GetSpan(SmallBytes), at)) > 0; at += read)
            {
                writer.Advance(read);
                await writer.FlushAsync(cancellationToken);
            }
        }, Headers(status));
    }

    /// <summary>Straight from the page cache into the buffers that are sent; so much is in memory as is on its way.</summary>
    private static async Task SendAsync(Exchange exchange, Descriptor open, SafeFileHandle handle, ByteRange range, CancellationToken cancellationToken)
    {
        using var closed = open;
        _ = Libc.posix_fadvise(open.Fd, range.From, range.Length, Libc.POSIX_FADV_SEQUENTIAL);
        var writer = await exchange.StartAnswerAsync();
        for (var (at, left) = (range.From, range.Length); left > 0;)
        {
            var buffer = writer.GetMemory((int)Math.Min(PieceBytes, left));
            var read = RandomAccess.Read(handle, buffer.Span[..(int)Math.Min(buffer.Length, left)], at);
            if (read == 0)
            {
                throw new IOException("the file became shorter while it was sent");
            }

            writer.Advance(read);
            (at, left) = (at + read, left - read);
            if ((await writer.FlushAsync(cancellationToken)).IsCompleted)
            {
                exchange.Abort(); // Nobody reads any longer.
                return;
            }
        }
    }

    private static Reply Ranged(Exchange exchange, FileStatus status, long size, Func<ByteRange, Reply> answer)
    {
        var isCurrent = exchange.Header("If-Range") is not { } known || known == status.Tag;
        if (ByteRange.Parse(isCurrent ? exchange.Header("Range") : null, size) is { } range)
        {
            return answer(range);
        }

        var outside = Reply.Error(416, ErrorCodes.RangeNotSatisfiable, string.Create(CultureInfo.InvariantCulture, $"the range lies outside of the file, which has {size} bytes"));
        return new Reply(416, outside.ContentType, outside.Head) { Headers = [("Content-Range", string.Create(CultureInfo.InvariantCulture, $"bytes */{size}"))] };
    }

    private static List<(string, string)> Headers(FileStatus status, ByteRange range, long size)
    {
        var headers = Headers(status);
        if (range.IsPart)
        {
            headers.Add(("Content-Range", string.Create(CultureInfo.InvariantCulture, $"bytes {range.From}-{range.From + range.Length - 1}/{size}")));
        }

        return headers;
    }

    /// <summary>What a file's contents, and a HEAD, carry. Nothing in here is for a browser to run.</summary>
    public static List<(string, string)> Headers(FileStatus status) =>
    [
        ("ETag", status.Tag),
        ("Last-Modified", status.Modified.ToString("R", CultureInfo.InvariantCulture)),
        ("Accept-Ranges", "bytes"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Disposition", "attachment"),
        ("X-Carrel-Type", status.Type),
        ("X-Carrel-Mode", FileStatus.Octal(status.Permissions)),
    ];
}
