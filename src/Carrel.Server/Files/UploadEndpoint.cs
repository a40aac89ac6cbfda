using System.Buffers;
using System.Globalization;
using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Contracts.Files;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;
using Carrel.Server.Idempotency;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Carrel.Server.Files;

/// <summary>
/// <c>POST /files/upload</c>: the file goes to disk as it comes, since clients send the fields that say whose it is in any order.
/// What turns out not to be wanted is deleted again.
/// </summary>
internal sealed class UploadEndpoint(FileStore store, FileKeeping keeping, FileScope scope, FileDelivery delivery, Settings settings)
{
    private const int BufferBytes = 256 * 1024;
    private const int MostField = 1024;

    /// <summary>Read and thrown away of what is too large, so that clients which send before they listen get their answer.</summary>
    private const long MostDrained = 256L << 20;

    public async Task<IResult> RunAsync(HttpContext context)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(type.Boundary) is not { Length: > 0 and <= 200 } boundary)
        {
            return new Failure(ErrorCodes.MissingField, "The file is missing.", "Send it as the part \"file\" of a multipart/form-data body.").AsProblem();
        }

        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = settings.MaxUploadBytes + MostDrained;
        if (context.Request.ContentLength > settings.MaxUploadBytes + MostDrained)
        {
            return TooLarge();
        }

        Problem? refusal = null;
        Computer? computer = null;
        try
        {
            var kept = await keeping.KeepAsync(async file =>
            {
                var form = await ReadAsync(context, new MultipartReader(boundary.ToString(), context.Request.Body), file);
                (var record, computer, refusal) = form.Succeeded ? await PlaceAsync(context, form.Value) : (null, null, null);
                return record is not null ? record : form.Failure ?? refusal!.Failure;
            }, context.WillMakeAsync);
            if (kept.Succeeded)
            {
                await delivery.ToAllAsync(computer is not null ? [computer] : scope.In(kept.Value.WorkspaceId));
                return Results.Json(new UploadAnswer(kept.Value.AsAnswer()), ApiJson.Default.UploadAnswer);
            }

            return refusal ?? (kept.Failure.Code == ErrorCodes.PayloadTooLarge ? TooLarge() : kept.Failure.AsProblem());
        }
        catch (Exception broken) when (broken is InvalidDataException || (broken is IOException and not BadHttpRequestException && !context.RequestAborted.IsCancellationRequested))
        {
            return new Failure(ErrorCodes.InvalidField, $"The multipart body could not be read: {broken.Message}").AsProblem();
        }
    }

    /// <summary>The answer for a file that was kept before, if it was. Its desktops get it at their next start, if they have not got it.</summary>
    public async Task<IResult?> MadeAsync(string id) =>
        await store.FindAsync(id) is { } file ? Results.Json(new UploadAnswer(file.AsAnswer()), ApiJson.Default.UploadAnswer) : null;

    private async Task<Outcome<Form>> ReadAsync(HttpContext context, MultipartReader reader, FileStream file)
    {
        var form = new Form();
        while (await reader.ReadNextSectionAsync(context.RequestAborted) is { } section)
        {
            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition))
            {
                continue;
            }

            var name = HeaderUtilities.RemoveQuotes(disposition.Name).ToString();
            if (name == "file" && form.Filename is null)
            {
                form.Filename = FileNames.Clean(NameOf(disposition));
                form.ContentType = MediaTypeHeaderValue.TryParse(section.ContentType, out var type) && type.ToString() is { Length: <= 255 } text ? text : ContentTypes.Guess(form.Filename);
                if (!await StoreAsync(section.Body, file, context.RequestAborted))
                {
                    await section.Body.DrainAsync(context.RequestAborted);
                    return TooLargeFailure;
                }
            }
            else if (!disposition.IsFileDisposition())
            {
                form.Fields[name] = await new FormMultipartSection(section, disposition).GetValueAsync() is { Length: <= MostField } value ? value : "";
            }
        }

        return form.Filename is not null
            ? form
            : new Failure(ErrorCodes.MissingField, "The file is missing.", "Send it as the part \"file\" of a multipart/form-data body.");
    }

    /// <summary>False where it is larger than it may be.</summary>
    private async Task<bool> StoreAsync(Stream body, FileStream file, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (int read; (read = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken)) > 0;)
            {
                if (file.Position + read > settings.MaxUploadBytes)
                {
                    return false;
                }

                await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task<(FileRecord? Record, Computer? Computer, Problem? Refusal)> PlaceAsync(HttpContext context, Form form)
    {
        var workspaceId = form.First(FileScope.WorkspaceNames) ?? FileScope.FromQuery(context.Request, FileScope.WorkspaceNames);
        var (workspace, problem) = await scope.WorkspaceAsync(context, workspaceId);
        if (problem is not null)
        {
            return (null, null, problem);
        }

        Computer? computer = null;
        if ((form.First(FileScope.ComputerNames) ?? FileScope.FromQuery(context.Request, FileScope.ComputerNames)) is { } computerId)
        {
            (computer, problem) = scope.Computer(context, computerId);
            if (problem is null && computer!.State.Record.WorkspaceId != workspace!.Id)
            {
                problem = Problem.NotFound($"Workspace {workspace.Name} has no computer {computerId}.");
            }
        }

        return problem is not null ? (null, null, problem) : (new FileRecord
        {
            WorkspaceId = workspace!.Id,
            ComputerId = computer?.Id,
            Filename = form.Filename!,
            ContentType = form.ContentType,
            Source = FileRecord.Upload,
        }, computer, null);
    }

    private static string? NameOf(ContentDispositionHeaderValue disposition) => disposition.FileNameStar.HasValue
        ? disposition.FileNameStar.Value
        : HeaderUtilities.UnescapeAsQuotedString(disposition.FileName).Value;

    private Failure TooLargeFailure => new(
        ErrorCodes.PayloadTooLarge,
        string.Create(CultureInfo.InvariantCulture, $"The file is too large: at most {settings.MaxUploadBytes} bytes can be uploaded."),
        "The limit is the server's setting max_upload_bytes; PUT .../computers/{id}/fs/{path} has none.");

    /// <summary>400, as documented, and not 413.</summary>
    private Problem TooLarge() => new(TooLargeFailure) { Status = StatusCodes.Status400BadRequest };

    private sealed class Form
    {
        public string? Filename { get; set; }

        public string ContentType { get; set; } = ContentTypes.Unknown;

        public Dictionary<string, string> Fields { get; } = new(StringComparer.Ordinal);

        public string? First(string[] names) => names.Select(name => Fields.GetValueOrDefault(name)).FirstOrDefault(value => !string.IsNullOrEmpty(value));
    }
}
