using System.Text.Json;
using System.Text.Json.Nodes;
using Carrel.Contracts;
using Carrel.Server.Computers;

namespace Carrel.Server.Actions;

/// <summary>Calls of the server's own to a machine's deskd: JSON there and back, failures as values.</summary>
internal static class DeskdCall
{
    private const int LongestText = 2000;

    /// <param name="readOnly">Asking twice does no harm.</param>
    /// <returns>The answer's JSON object.</returns>
    public static async Task<Outcome<JsonElement>> AskAsync(
        this MachineSession session, HttpMethod method, string path, JsonObject? body, bool readOnly, TimeSpan allowance, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, DeskdLink.At(path));
        if (body is not null)
        {
            request.Content = new ActionBody(JsonSerializer.SerializeToUtf8Bytes<JsonNode>(body));
        }

        using var timeout = new CancellationTokenSource(allowance, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var sent = await session.Deskd.SendAsync(request, readOnly, timeout.Token, cancellationToken);
            if (!sent.Succeeded)
            {
                return sent.Failure;
            }

            using var response = sent.Value;
            if (!response.IsSuccessStatusCode)
            {
                return await DeskAnswer.FailureAsync(response, readOnly, either.Token);
            }

            var read = await CappedBody.ReadAsync(response.Content, CappedBody.MostJson, either.Token);
            if (!read.Succeeded)
            {
                return read.Failure;
            }

            using var bytes = read.Value;
            using var document = JsonDocument.Parse(bytes.Bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : Nonsense(path);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return DeskdLink.TimedOut(path, readOnly);
        }
        catch (Exception broken) when (broken is HttpRequestException or HttpIOException or IOException or ObjectDisposedException)
        {
            return DeskdLink.Broken(path, readOnly);
        }
        catch (JsonException)
        {
            return Nonsense(path);
        }
    }

    /// <summary>A string of an answer, where it is one; no more of it than a sentence or two.</summary>
    public static string? TextOf(this JsonElement answer, string name) =>
        answer.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { } text
            ? text.Length <= LongestText ? text : text[..LongestText] + "..."
            : null;

    /// <summary>A number of an answer, where it is one that makes sense.</summary>
    public static double? NumberOf(this JsonElement answer, string name) =>
        answer.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : null;

    private static Failure Nonsense(string path) => new(ErrorCodes.DesktopFailed, $"The desktop answered {path} with something that is no JSON object.");
}
