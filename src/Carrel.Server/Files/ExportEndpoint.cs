using System.Buffers;
using System.Text.Json;
using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Contracts.Files;
using Carrel.Server.Actions;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;
using Carrel.Server.Waking;

namespace Carrel.Server.Files;

/// <summary>Takes a file out of a computer's home folder: kept for the workspace through the API, handed out as it is by the in-computer API.</summary>
internal sealed class ExportEndpoint(MachineAccess machines, FileKeeping keeping, FileEndpoints files, FileScope scope, StallClocks clocks, Settings settings)
{
    private const string DeskdPath = "/files/export";
    private const int BufferBytes = 256 * 1024;
    private const int MostPath = 4095;

    public async Task<IResult> RunAsync(HttpContext context)
    {
        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var (computerId, path) = (read.Value.RequiredText(100, FileScope.ComputerNames), read.Value.RequiredText(MostPath, "path"));
        if (read.Value.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        var (computer, problem) = scope.Computer(context, computerId);
        if (problem is not null)
        {
            return problem;
        }

        var (kept, refusal) = await KeepAsync(context, computer!, path);
        return refusal ?? (kept.Succeeded
            ? Results.Json(new ExportAnswer(true, kept.Value.AsAnswer(), files.LinkTo(kept.Value, context.Request)), ApiJson.Default.ExportAnswer)
            : kept.Failure.Code == ErrorCodes.PayloadTooLarge ? new Problem(kept.Failure) { Status = StatusCodes.Status400BadRequest } : kept.Failure.AsProblem());
    }

    private async Task<(Outcome<FileRecord> Kept, Problem? Refusal)> KeepAsync(HttpContext context, Computer computer, string path)
    {
        var entered = await machines.EnterAsync(context, computer);
        if (!entered.Succeeded)
        {
            return (default, entered.Failure.AsProblem());
        }

        var session = entered.Value;

        using var stall = clocks.Start();
        using var request = new HttpRequestMessage(HttpMethod.Post, DeskdLink.At(DeskdPath)) { Content = new ActionBody(Asking(path)) };
        var sent = await session.Deskd.SendAsync(request, readOnly: true, stall.Token, context.RequestAborted);
        if (!sent.Succeeded)
        {
            return (default, sent.Failure.AsProblem());
        }

        using var response = sent.Value;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stall.Token, context.RequestAborted);
        try
        {
            if (response.StatusCode != System.Net.HttpStatusCode.OK)
            {
                return (default, await DeskAnswer.ProblemAsync(response, readOnly: true, either.Token));
            }

            var name = FileNames.Clean(path);
            return (await keeping.KeepAsync(async file => await StoreAsync(response, file, stall, either.Token) ? new FileRecord
            {
                WorkspaceId = computer.State.Record.WorkspaceId,
                ComputerId = computer.Id,
                Filename = name,
                ContentType = ContentTypes.Guess(name),
                Source = FileRecord.Export,
            } : TooLarge()), null);
        }
        catch (OperationCanceledException) when (stall.HasStalled)
        {
            return (default, DeskdLink.TimedOut(DeskdPath, harmless: true).AsProblem());
        }
        catch (Exception broken) when (broken is HttpRequestException or HttpIOException or IOException && !context.RequestAborted.IsCancellationRequested)
        {
            return (default, DeskdLink.Broken(DeskdPath, harmless: true).AsProblem());
        }
    }

    /// <summary>False where it is larger than it may be.</summary>
    private async Task<bool> StoreAsync(HttpResponseMessage response, FileStream file, StallClock stall, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > settings.MaxExportBytes)
        {
            return false;
        }

        await using var source = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        for (int read; (read = await source.ReadAsync(buffer, cancellationToken)) > 0; stall.Moved())
        {
            if (file.Position + read > settings.MaxExportBytes)
            {
                return false;
            }

            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return true;
    }

    private Failure TooLarge() => new(
        ErrorCodes.PayloadTooLarge,
        $"The file is too large: at most {settings.MaxExportBytes} bytes can be exported.",
        "The limit is the server's setting max_export_bytes; GET .../computers/{id}/fs/{path} has none.");

    private static byte[] Asking(string path)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("path", path);
            writer.WriteEndObject();
        }

        return json.WrittenSpan.ToArray();
    }
}
