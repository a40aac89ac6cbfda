using System.IO.Pipelines;
using System.Text.Json;
using Carrel.Deskd.Http;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Files;

/// <summary>Answers with what is in a folder, written while it is read, in the order in which the file system has it.</summary>
internal static class FolderListing
{
    private static readonly JsonWriterOptions Lenient = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Reply Answer(Exchange exchange, PathHandle held, string path)
    {
        if (!held.Status.IsFolder)
        {
            return FileProblem.NotAFolder(path);
        }

        if (exchange.Method == "HEAD")
        {
            return Reply.Streamed(200, "application/json", null, (_, _) => Task.CompletedTask, FileReading.Headers(held.Status));
        }

        return held.OpenToRead() is { } folder
            ? Reply.Streamed(200, "application/json", null, (_, cancellationToken) => WriteAsync(exchange, folder, path, cancellationToken))
            : FileProblem.Last($"opening {path}");
    }

    private static async Task WriteAsync(Exchange exchange, Descriptor folder, string path, CancellationToken cancellationToken)
    {
        using var closed = folder;
        var (entries, owners) = (new FolderEntries(folder), new OwnerNames());
        var writer = await exchange.StartAnswerAsync();
        await using var json = new Utf8JsonWriter(writer, Lenient);
        json.WriteStartObject();
        json.WriteString("path"u8, path);
        json.WriteStartArray("entries"u8);
        while ((entries.Next() ?? throw Errno.Failed($"reading {path}")) is { Count: > 0 } names)
        {
            foreach (var (name, _) in names)
            {
                WriteEntry(json, folder, name, owners);
            }

            await FlushAsync(json, writer, cancellationToken);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        await FlushAsync(json, writer, cancellationToken);
    }

    private static void WriteEntry(Utf8JsonWriter json, Descriptor folder, byte[] name, OwnerNames owners)
    {
        // One that went away meanwhile is no longer there.
        if (FileStatus.Of(folder.Fd, name, Libc.AT_SYMLINK_NOFOLLOW) is { } status)
        {
            json.WriteStartObject();
            status.Write(json, name.AsSpan(0, name.Length - 1), status.IsSymlink ? FileStatus.TargetOf(folder.Fd, name) : null, owners);
            json.WriteEndObject();
        }
    }

    private static async Task FlushAsync(Utf8JsonWriter json, PipeWriter writer, CancellationToken cancellationToken)
    {
        await json.FlushAsync(cancellationToken);
        await writer.FlushAsync(cancellationToken);
    }
}
