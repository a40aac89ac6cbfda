using System.Text.Json;
using Carrel.Contracts;
using Carrel.Server.Errors;

namespace Carrel.Server.Actions;

/// <summary>What deskd's refusals and failures become. Its sentences are relayed, with what only the server knows added.</summary>
internal static class DeskAnswer
{
    private const int MostError = 64 * 1024;
    private const int MostSentence = 2000;

    /// <param name="readOnly">Repeating it does no harm.</param>
    public static async Task<Problem> ProblemAsync(HttpResponseMessage response, bool readOnly, CancellationToken cancellationToken)
    {
        var upstream = (int)response.StatusCode;
        var body = await CappedBody.ReadAsync(response.Content, MostError, cancellationToken);
        string? error = null, code = null;
        if (body.Succeeded)
        {
            using var bytes = body.Value;
            (error, code) = Read(bytes);
        }

        var status = upstream switch
        {
            400 or 403 or 404 or 405 or 409 or 413 or 415 or 416 or 422 or 507 => upstream,
            503 => 503, // deskd answers it before it does anything: starting, or its screen is away.
            _ when readOnly => 502,
            _ => 424, // It tried and failed; part of it may have happened.
        };
        code = status switch
        {
            424 => ErrorCodes.OutcomeUnknown,
            503 => ErrorCodes.DesktopUnreachable,
            502 => ErrorCodes.DesktopFailed,
            _ => code,
        };
        return new Problem(new Failure(code ?? ErrorCodes.DesktopFailed, error ?? $"The desktop answered {upstream}."))
        {
            Status = status,
            UpstreamStatus = upstream,
        };
    }

    /// <summary>The same for what is no action: only codes that the server knows pass, so that each has its status.</summary>
    public static async Task<Failure> FailureAsync(HttpResponseMessage response, bool readOnly, CancellationToken cancellationToken)
    {
        var body = await CappedBody.ReadAsync(response.Content, MostError, cancellationToken);
        string? error = null, code = null;
        if (body.Succeeded)
        {
            using var bytes = body.Value;
            (error, code) = Read(bytes);
        }

        var known = code is ErrorCodes.InvalidField or ErrorCodes.MissingField or ErrorCodes.NotFound or ErrorCodes.DesktopUnreachable
            or ErrorCodes.AlreadyStreaming or ErrorCodes.StreamFailed
            or ErrorCodes.AlreadyRecording or ErrorCodes.RecordingFailed or ErrorCodes.RecordingUnfinished;
        return new Failure(
            known ? code! : readOnly ? ErrorCodes.DesktopFailed : ErrorCodes.OutcomeUnknown,
            Sentence(error ?? $"the desktop answered {(int)response.StatusCode}"));
    }

    private static string Sentence(string error)
    {
        var cut = error.Length <= MostSentence ? error : error[..MostSentence] + "...";
        return cut.Length > 0 ? $"{char.ToUpperInvariant(cut[0])}{cut[1..].TrimEnd('.')}." : "The desktop refused.";
    }

    private static (string? Error, string? Code) Read(CappedBody body)
    {
        try
        {
            using var document = JsonDocument.Parse(body.Bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? (Text(document.RootElement, "error"), Text(document.RootElement, "code"))
                : (null, null);
        }
        catch (JsonException)
        {
            return (null, null); // Whatever else a guest says is not for the client.
        }
    }

    private static string? Text(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
